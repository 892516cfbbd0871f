//! Browser, operating system and bots, from the `User-Agent` and the client hints beside it.
//!
//! A crawler's name is one of a list that is kept by many (`scripts/update-crawlers` brings a newer one); all names are
//! looked for in one pass, without a regular expression. Browsers and systems are tables. `scripts/user-agent-rates`
//! measures both with lists that others keep.

mod agent;
mod bots;
mod browsers;
mod hints;
mod systems;
mod words;

use lambda_http::http::{HeaderMap, header};

use agent::Agent;
use bots::Bots;
use hints::Hints;

/// The score of a declared crawler or headless browser.
const DECLARED_BOT: u8 = 100;

/// Characters of a version; a longer one is no browser's.
const MAX_VERSION: usize = 64;

/// What a request says of its client; `None` where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The browser, without distinction of its mobile edition, or the app that shows the page.
    pub browser_name: Option<String>,
    /// Its version, in full; of an app that shows the page that of the engine.
    pub browser_version: Option<String>,
    /// The operating system, without its version.
    pub os: Option<String>,
    /// 1 on a phone or tablet.
    pub mobile: Option<u8>,
    /// 100 for a declared crawler or headless browser, else 0.
    pub bot_score: u8,
}

/// Reads what requests say of their clients.
pub struct UserAgents {
    bots: Bots,
}

impl UserAgents {
    /// Reads the lists.
    pub fn new() -> Self {
        UserAgents { bots: Bots::new() }
    }

    /// What a request says of its client.
    pub fn describe(&self, headers: &HeaderMap) -> Client {
        let text = headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        let agent = Agent::of(text.as_deref().unwrap_or_default());
        let hints = if agent.is_of_chromium() { Hints::of(headers) } else { Hints::default() };
        let (system, device) = systems::of(agent);
        let browser = browsers::of(agent, system);
        let (name, version) = hints.browser(browser.name, browser.version);
        let is_bot = self.bots.include(agent) || hints.are_headless();
        Client {
            browser_name: name.map(str::to_owned),
            browser_version: version.filter(|version| version.len() <= MAX_VERSION).map(str::to_owned),
            os: hints.system(system).map(str::to_owned),
            mobile: hints.mobile(system, device.mobile()),
            bot_score: if is_bot { DECLARED_BOT } else { 0 },
        }
    }
}

impl Default for UserAgents {
    fn default() -> Self {
        UserAgents::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;
    use std::sync::LazyLock;

    /// Browser, version, system, mobile; then the user agent.
    const BROWSERS: &str = include_str!("../../tests/browsers.tsv");
    /// User agents of bots.
    const BOTS: &str = include_str!("../../tests/bots.txt");

    /// What is read of a user agent alone.
    fn read(agents: &UserAgents, agent: &str) -> Client {
        request(agents, &[("user-agent", agent)])
    }

    /// What is read of a request's headers; a value that is none is not sent.
    fn request(agents: &UserAgents, headers: &[(&'static str, &str)]) -> Client {
        let header = |(name, value): &(&'static str, &str)| {
            Some((HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).ok()?))
        };
        agents.describe(&headers.iter().filter_map(header).collect())
    }

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
            assert_eq!(read(&agents, agent), expected, "{agent}");
        }
    }

    #[test]
    fn declared_bots_score_100() {
        let agents = UserAgents::new();
        for agent in BOTS.lines() {
            assert_eq!(read(&agents, agent).bot_score, 100, "{agent}");
        }
    }

    #[test]
    fn no_user_agent_is_no_bot_and_nothing_known() {
        let agents = UserAgents::new();
        assert_eq!(agents.describe(&HeaderMap::new()), Client::default());
        for agent in ["", " ", "Mozilla/5.0", "Ünïcode/1.0 (München)"] {
            assert_eq!(read(&agents, agent), Client::default(), "{agent}");
        }
    }

    #[test]
    fn a_version_without_end_is_none() {
        let endless = format!("Mozilla/5.0 (Windows NT 10.0) Chrome/{} Safari/537.36", "1.".repeat(4_000));
        let client = read(&UserAgents::new(), &endless);
        assert_eq!((client.browser_name.as_deref(), client.browser_version), (Some("Chrome"), None));
    }

    static AGENTS: LazyLock<UserAgents> = LazyLock::new(UserAgents::new);

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    const ANDROID: &str =
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    const BRAVE: &str = r#""Not/A)Brand";v="8", "Chromium";v="126", "Brave";v="126""#;

    /// Name and version of the browser, system, mobile.
    fn named(headers: &[(&'static str, &str)]) -> (Option<String>, Option<String>, Option<String>, Option<u8>) {
        let client = request(&AGENTS, headers);
        assert_eq!(client.bot_score, 0, "{headers:?}");
        (client.browser_name, client.browser_version, client.os, client.mobile)
    }

    fn known(
        name: &str,
        version: &str,
        os: &str,
        mobile: u8,
    ) -> (Option<String>, Option<String>, Option<String>, Option<u8>) {
        (Some(name.to_owned()), Some(version.to_owned()), Some(os.to_owned()), Some(mobile))
    }

    #[test]
    fn a_browser_that_its_user_agent_hides_is_named_by_its_brand() {
        let hinted = |brands| named(&[("user-agent", CHROME), ("sec-ch-ua", brands)]);
        assert_eq!(hinted(BRAVE), known("Brave", "126.0.0.0", "Windows", 0));
        let opera = r#""Opera";v="112", "Chromium";v="126", "Not.A/Brand";v="24""#;
        assert_eq!(hinted(opera), known("Opera", "112", "Windows", 0));
        for nothing in ["", "?", r#"""#, r#""Chromium";v="126""#, r#""Nobody's";v="1", "Brave"#, r#"Brave;v="126""#] {
            assert_eq!(hinted(nothing), known("Chrome", "126.0.0.0", "Windows", 0), "{nothing}");
        }
    }

    #[test]
    fn a_full_version_takes_the_place_of_a_frozen_one() {
        let full = r#""Google Chrome";v="126.0.6478.127", "Chromium";v="126.0.6478.127", "Not/A)Brand";v="8.0.0.0""#;
        let hinted = |full| named(&[("user-agent", CHROME), ("sec-ch-ua-full-version-list", full)]);
        assert_eq!(hinted(full), known("Chrome", "126.0.6478.127", "Windows", 0));
        let endless = format!(r#""Google Chrome";v="{}""#, "1.".repeat(40));
        for odd in [r#""Google Chrome";v="<b>""#, r#""Google Chrome";v="""#, &endless] {
            assert_eq!(hinted(odd), known("Chrome", "126.0.0.0", "Windows", 0), "{odd}");
        }
    }

    #[test]
    fn a_name_in_the_user_agent_stays() {
        let edge = format!("{CHROME} Edg/126.0.2592.68");
        assert_eq!(named(&[("user-agent", &edge), ("sec-ch-ua", BRAVE)]), known("Edge", "126.0.2592.68", "Windows", 0));
    }

    #[test]
    fn the_system_is_the_one_of_the_platform() {
        let hinted = |agent, platform, mobile| {
            named(&[("user-agent", agent), ("sec-ch-ua-platform", platform), ("sec-ch-ua-mobile", mobile)])
        };
        assert_eq!(hinted(CHROME, r#""macOS""#, "?0"), known("Chrome", "126.0.0.0", "macOS", 0));
        assert_eq!(hinted(CHROME, r#""Android""#, "?1"), known("Chrome", "126.0.0.0", "Android", 1));
        assert_eq!(hinted(ANDROID, r#""Android""#, "?0"), known("Chrome", "126.0.0.0", "Android", 1), "a tablet");
        let television = "Mozilla/5.0 (Linux; Android 11; BRAVIA 4K UR2 Build/RTT2; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36";
        assert_eq!(hinted(television, r#""Android""#, "?1"), known("WebView", "126.0.0.0", "Android", 0));
        assert_eq!(hinted(ANDROID, r#""Unknown""#, "0"), known("Chrome", "126.0.0.0", "Android", 1));
        let harmony =
            "Mozilla/5.0 (Phone; OpenHarmony 6.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Mobile";
        assert_eq!(hinted(harmony, r#""Linux""#, "?1"), known("Chrome", "132.0.0.0", "HarmonyOS", 1));
    }

    #[test]
    fn hints_of_a_user_agent_that_is_not_chromiums_are_left_out() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        let headers = [("user-agent", firefox), ("sec-ch-ua", BRAVE), ("sec-ch-ua-platform", r#""Windows""#)];
        assert_eq!(named(&headers), known("Firefox", "128.0", "Linux", 0));
    }

    #[test]
    fn a_headless_brand_is_a_bots() {
        let brands = r#""Chromium";v="126", "HeadlessChrome";v="126", "Not-A.Brand";v="99""#;
        assert_eq!(request(&AGENTS, &[("user-agent", CHROME), ("sec-ch-ua", brands)]).bot_score, 100);
    }

    proptest! {
        /// A device may be called anything.
        #[test]
        fn no_models_name_makes_a_bot(model in "[A-Za-z0-9][A-Za-z0-9 _-]{0,20}|(spider|bot|crawler|monitor) [0-9]{1,3}") {
            prop_assert_eq!(read(&AGENTS, &ANDROID.replace("; K)", &format!("; {model})"))).bot_score, 0);
        }

        /// Who is compatible, and none of the browsers that are, is a bot.
        #[test]
        fn no_name_is_too_new_for_a_bot(name in "[B-HJ-Z][a-z]{2,12}(/[0-9.]{1,4})?") {
            let is_a_browsers = ["Konqueror", "Opera", "Polaris", "Windows", "Linux"].iter().any(|browser| name.starts_with(browser));
            prop_assume!(!is_a_browsers);
            prop_assert_eq!(read(&AGENTS, &format!("Mozilla/5.0 (compatible; {name})")).bot_score, 100);
        }

        /// Whatever hints are sent, no other text than a name of ours and a version is taken from them.
        #[test]
        fn any_hint_is_read(brands in "[ -~]{0,60}", full in "[\"a-zA-Z;=v0-9., ]{0,60}", platform in "[ -~]{0,12}", mobile in "[?01]{0,3}") {
            let client = request(&AGENTS, &[
                ("user-agent", CHROME),
                ("sec-ch-ua", &brands),
                ("sec-ch-ua-full-version-list", &full),
                ("sec-ch-ua-platform", &platform),
                ("sec-ch-ua-mobile", &mobile),
            ]);
            let version = client.browser_version.unwrap_or_default();
            prop_assert!(version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'), "{version}");
        }

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
            read(&AGENTS, &words.concat());
        }
    }
}
