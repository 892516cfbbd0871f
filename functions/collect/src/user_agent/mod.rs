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
            mobile: hints.mobile(device.mobile()),
            bot_score: if is_bot { DECLARED_BOT } else { 0 },
        }
    }
}

impl Default for UserAgents {
    fn default() -> Self {
        UserAgents::new()
    }
}
