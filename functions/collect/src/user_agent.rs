//! Browser, operating system and bots, from the `User-Agent`.
//!
//! Of ninety real user agents of 2024, most of which the tests repeat, `woothee` named every browser, full
//! version and system right, and `isbot` told all bots but two from people, for 0.4 and 2 ms of the
//! start and 5 MB together. What else was measured, all optimised for size:
//! - `ua-parser`: a thousand expressions that take 140 ms and 27 MB to load; it cuts some versions to three
//!   parts, tells Ubuntu from Linux, and leaves open which families are bots.
//! - `iscrawl`: smaller and faster, but takes headless browsers for people and phones of the make
//!   Cubot for bots, and caches by the place of the text in memory, which another request may reuse.
//! - `fast_uaparser`: downloads its expressions while it is built.
//!
//! Both are regular expressions that run in linear time, whatever is sent.

use lambda_http::http::{HeaderMap, header};
use woothee::parser::Parser;
use woothee::woothee::VALUE_UNKNOWN;

/// The score of a declared crawler or headless browser.
const DECLARED_BOT: u8 = 100;

/// Characters of a version; a longer one is no browser's.
const MAX_VERSION: usize = 64;

/// What most browsers send, to compile at the start the expressions that most requests need.
const TYPICAL: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";

/// What a `User-Agent` says; `None` where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The browser, without distinction of its mobile edition.
    pub browser_name: Option<String>,
    /// Its version, in full.
    pub browser_version: Option<String>,
    /// The operating system, without its version.
    pub os: Option<String>,
    /// 1 on a phone or tablet.
    pub mobile: Option<u8>,
    /// 100 for a declared crawler or headless browser, else 0.
    pub bot_score: u8,
}

/// Reads `User-Agent` headers.
pub struct UserAgents {
    parser: Parser,
    bots: isbot::Bots,
}

impl UserAgents {
    /// Compiles the expressions.
    pub fn new() -> Self {
        let agents = UserAgents { parser: Parser::new(), bots: isbot::Bots::default() };
        agents.read(TYPICAL);
        agents
    }

    /// What a request says of its client.
    pub fn describe(&self, headers: &HeaderMap) -> Client {
        let agent = headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        self.read(&agent.unwrap_or_default())
    }

    fn read(&self, agent: &str) -> Client {
        let found = self.parser.parse(agent).unwrap_or_default();
        let is_browser = found.browser_type == "browser";
        let is_bot = found.category == "crawler" || self.bots.is_bot(agent);
        Client {
            browser_name: known(found.name).filter(|_| is_browser).map(|name| browser(name).to_owned()),
            browser_version: known(found.version)
                .filter(|version| is_browser && version.len() <= MAX_VERSION)
                .map(str::to_owned),
            os: known(found.os).map(|os| system(os).to_owned()),
            mobile: match found.category {
                "smartphone" | "mobilephone" => Some(1),
                "pc" | "appliance" => Some(0),
                _ => None,
            },
            bot_score: if is_bot { DECLARED_BOT } else { 0 },
        }
    }
}

fn known(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && *text != VALUE_UNKNOWN)
}

/// The library's names of browsers, where ours differ.
fn browser(name: &str) -> &str {
    match name {
        "SamsungBrowser" => "Samsung Internet",
        "Webview" => "WebView",
        other => other,
    }
}

/// The library's names of systems, where ours differ.
fn system(name: &str) -> &str {
    match name {
        "iPhone" | "iPad" | "iPod" => "iOS",
        "Mac OSX" => "macOS",
        "ChromeOS" => "Chrome OS",
        "Windows Phone OS" => "Windows Phone",
        desktop if desktop.starts_with("Windows") => "Windows",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::http::HeaderValue;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    /// Browser, version, system, mobile; then the user agent.
    const BROWSERS: &str = include_str!("../tests/browsers.tsv");
    /// User agents of bots.
    const BOTS: &str = include_str!("../tests/bots.txt");

    #[test]
    fn browsers_are_named_in_full_and_are_no_bots() {
        let agents = UserAgents::new();
        for line in BROWSERS.lines() {
            let [name, version, os, mobile, agent] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("five columns: {line}")
            };
            let given = |text: &str| Some(text.to_owned()).filter(|text| text != "-");
            let expected = Client {
                browser_name: given(name),
                browser_version: given(version),
                os: given(os),
                mobile: mobile.parse().ok(),
                bot_score: 0,
            };
            assert_eq!(agents.read(agent), expected, "{agent}");
        }
    }

    #[test]
    fn declared_bots_score_100() {
        let agents = UserAgents::new();
        for agent in BOTS.lines() {
            assert_eq!(agents.read(agent).bot_score, 100, "{agent}");
        }
    }

    #[test]
    fn no_user_agent_is_no_bot_and_nothing_known() {
        let agents = UserAgents::new();
        assert_eq!(agents.describe(&HeaderMap::new()), Client::default());
        for agent in ["", "-", "Mozilla/5.0", "Ünïcode/1.0 (München)"] {
            let Ok(value) = HeaderValue::from_bytes(agent.as_bytes()) else { panic!("a header value") };
            assert_eq!(agents.describe(&HeaderMap::from_iter([(header::USER_AGENT, value)])), Client::default());
        }
    }

    #[test]
    fn a_version_without_end_is_none() {
        let endless = format!("Mozilla/5.0 (Windows NT 10.0) Chrome/{} Safari/537.36", "1.".repeat(4_000));
        let client = UserAgents::new().read(&endless);
        assert_eq!((client.browser_name.as_deref(), client.browser_version), (Some("Chrome"), None));
    }

    static AGENTS: LazyLock<UserAgents> = LazyLock::new(UserAgents::new);

    proptest! {
        /// Whatever is sent, in the words of the trade or not, is read without panic.
        #[test]
        fn any_user_agent_is_read(words in proptest::collection::vec(
            prop_oneof![
                "\\PC{0,12}",
                proptest::sample::select(vec![
                    "Mozilla/5.0 ", "Windows ", "NT ", "Mac OS X ", "; ", "(", ")", "Android", "Version/", "Chrome/",
                    "Safari/", "MSIE ", "Trident/", "DoCoMo/", "KDDI-", "Vodafone/", "BlackBerry", "Googlebot", "é", "10_",
                    "iPhone", "FOMA;", "PLAYSTATION ", "Firefox/", "Opera ", "Edge/", "Phone OS ", "UP.Browser/", "Nintendo ",
                ]).prop_map(str::to_owned),
            ],
            0..12,
        )) {
            AGENTS.read(&words.concat());
        }
    }
}
