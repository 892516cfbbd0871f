//! Browsers and their versions.

use super::agent::Agent;

/// Which version a browser's is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// What follows its name.
    Own,
    /// That of the engine: it is an app that shows pages in a web view, and what they can is the engine's doing.
    OfEngine,
    /// What follows `Version/`; the number behind its name is another one.
    Apart,
}

use Version::{Apart, OfEngine, Own};

/// Browsers and apps by what their user agents have, at the beginning of a word. The first that is there counts: nearly
/// all pretend to be those below them.
const BROWSERS: [(&str, &str, Version); 0] = [];

/// A browser's name and version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Browser<'a> {
    pub name: Option<&'static str>,
    pub version: Option<&'a str>,
}

/// The browser of a user agent, on a system.
pub fn of<'a>(agent: Agent<'a>, system: Option<&str>) -> Browser<'a> {
    if let Some((word, name, version)) = BROWSERS.iter().find(|(word, ..)| agent.has(word)) {
        let version = match version {
            Own => agent.version(word),
            OfEngine => engine_version(agent),
            Apart => agent.version("Version/").or_else(|| agent.version(word)),
        };
        return Browser { name: Some(name), version };
    }
    common(agent, system)
}

/// Those that others pretend to be.
fn common<'a>(agent: Agent<'a>, system: Option<&str>) -> Browser<'a> {
    let named = |name, version| Browser { name: Some(name), version };
    let is_on_apples = matches!(system, Some("iOS" | "macOS" | "tvOS"));
    let version = agent.version("Version/");
    if is_web_view(agent) {
        return named("WebView", engine_version(agent));
    }
    if agent.has("CriOS/") {
        return named("Chrome", agent.version("CriOS/"));
    }
    if agent.has("Chrome/") {
        return named("Chrome", agent.version("Chrome/"));
    }
    if agent.has("Chromium/") {
        return named("Chromium", agent.version("Chromium/"));
    }
    if agent.has("FxiOS/") {
        return named("Firefox", agent.version("FxiOS/"));
    }
    if agent.has("Firefox/") {
        return named("Firefox", agent.version("Firefox/"));
    }
    if agent.has("Trident/") || agent.has("MSIE ") {
        let version = agent.version("rv:").filter(|_| !agent.has("MSIE "));
        return named("Internet Explorer", version.or_else(|| agent.version("MSIE ")));
    }
    if agent.has("Safari/") && system == Some("Android") {
        return named("Android Browser", version);
    }
    if agent.has("Safari/") && (is_on_apples || version.is_some()) {
        return named("Safari", version);
    }
    if is_on_apples && agent.has("AppleWebKit/") {
        return named("WebView", None);
    }
    Browser::default()
}

/// Whether an app shows the page, one that does not say which.
fn is_web_view(agent: Agent<'_>) -> bool {
    let is_chromium = agent.has("Chrome/");
    is_chromium && (agent.is_on("wv") || (agent.version("Version/") == Some("4.0") && agent.is_on("Android")))
}

/// The version of what shows the page, where it says so; `Version/4.0` of Android's is none.
fn engine_version(agent: Agent<'_>) -> Option<&str> {
    agent.version("Chrome/")
}
