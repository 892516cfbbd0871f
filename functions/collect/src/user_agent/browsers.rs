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
const BROWSERS: &[(&str, &str, Version)] = &[
    // Apps that show pages. Those of one maker name each other, so the order matters.
    ("Barcelona ", "Threads", OfEngine),
    ("Instagram ", "Instagram", OfEngine),
    ("FBAN/Messenger", "Facebook Messenger", OfEngine),
    ("FB_IAB/Orca", "Facebook Messenger", OfEngine),
    ("FB_IAB/MESSENGER", "Facebook Messenger", OfEngine),
    ("MetaIAB Instagram", "Instagram", OfEngine),
    ("MetaIAB Facebook", "Facebook", OfEngine),
    ("FBAN/", "Facebook", OfEngine),
    ("FB_IAB/", "Facebook", OfEngine),
    ("FBAV/", "Facebook", OfEngine),
    ("FB4A", "Facebook", OfEngine),
    ("musical_ly", "TikTok", OfEngine),
    ("BytedanceWebview", "TikTok", OfEngine),
    ("trill_", "TikTok", OfEngine),
    ("TikTok ", "TikTok", OfEngine),
    ("aweme", "Douyin", OfEngine),
    ("MicroMessenger/", "WeChat", OfEngine),
    ("Line/", "LINE", OfEngine),
    ("LIFF/", "LINE", OfEngine),
    ("KAKAOTALK", "KakaoTalk", OfEngine),
    ("NAVER(inapp", "NAVER", OfEngine),
    ("DaumApps/", "Daum", OfEngine),
    ("Snapchat/", "Snapchat", OfEngine),
    ("Snapchat ", "Snapchat", OfEngine),
    ("TwitterAndroid", "X", OfEngine),
    ("Twitter for", "X", OfEngine),
    ("[LinkedInApp]", "LinkedIn", OfEngine),
    ("Pinterest/", "Pinterest", OfEngine),
    ("Pinterest for", "Pinterest", OfEngine),
    ("Reddit/", "Reddit", OfEngine),
    ("Telegram-", "Telegram", OfEngine),
    ("VKAndroidApp", "VK", OfEngine),
    ("Weibo (", "Weibo", OfEngine),
    ("__weibo__", "Weibo", OfEngine),
    ("DingTalk/", "DingTalk", OfEngine),
    ("AlipayClient/", "Alipay", OfEngine),
    ("Zalo/", "Zalo", OfEngine),
    ("MSTeams", "Teams", OfEngine),
    ("GSA/", "Google Search App", Own),
    // Browsers.
    ("LG Browser/", "LG Browser", Own),
    ("NintendoBrowser/", "Nintendo Browser", Own),
    ("OculusBrowser/", "Meta Quest Browser", Own),
    ("PicoBrowser/", "PICO Browser", Own),
    ("EdgA/", "Edge", Own),
    ("EdgiOS/", "Edge", Own),
    ("EdgW/", "Edge", Own),
    ("Edg/", "Edge", Own),
    ("Edge/", "Edge", Own),
    ("Opera Mini/", "Opera", Own),
    ("Opera Mobi/", "Opera", Apart),
    ("OPRGX/", "Opera", Own),
    ("OPX/", "Opera", Own),
    ("OPT/", "Opera", Own),
    ("OPiOS/", "Opera", Own),
    ("OPR/", "Opera", Own),
    ("Opera/", "Opera", Apart),
    ("Opera ", "Opera", Own),
    ("DuckDuckGo/", "DuckDuckGo", Own),
    ("Ddg/", "DuckDuckGo", Own),
    ("YaApp_Android/", "Yandex", Own),
    ("YandexSearch/", "Yandex", Own),
    ("YaSearchBrowser/", "Yandex", Own),
    ("YaBrowser/", "Yandex Browser", Own),
    ("Brave/", "Brave", Own),
    ("Vivaldi/", "Vivaldi", Own),
    ("Whale/", "Whale", Own),
    ("MiuiBrowser/", "MIUI Browser", Own),
    ("HuaweiBrowser/", "Huawei Browser", Own),
    ("HONORBrowser/", "Honor Browser", Own),
    ("HonorBrowser/", "Honor Browser", Own),
    ("bdhonorbrowser/", "Honor Browser", Own),
    ("VivoBrowser/", "vivo Browser", Own),
    ("HeyTapBrowser/", "HeyTap Browser", Own),
    ("OppoBrowser/", "OPPO Browser", Own),
    ("RealmeBrowser/", "Realme Browser", Own),
    ("MZBrowser/", "Meizu Browser", Own),
    ("HiBrowser/", "HiBrowser", Own),
    ("PHX/", "Phoenix Browser", Own),
    ("UCBrowser/", "UC Browser", Own),
    ("UBrowser/", "UC Browser", Own),
    ("UCWEB", "UC Browser", Own),
    ("UC Browser", "UC Browser", Own),
    ("Quark/", "Quark", Own),
    ("MQQBrowser/", "QQ Browser", Own),
    ("QQBrowserLite/", "QQ Browser", Own),
    ("QQBrowser/", "QQ Browser", Own),
    ("QQ/", "QQ", OfEngine),
    ("QihooBrowser", "360 Browser", Own),
    ("360SE", "360 Browser", Own),
    ("SogouMobileBrowser/", "Sogou Mobile Browser", Own),
    ("SE 2.X", "Sogou Explorer", Own),
    ("MetaSr", "Sogou Explorer", Own),
    ("baiduboxapp/", "Baidu", Own),
    ("baidubrowser/", "Baidu Browser", Own),
    ("BIDUBrowser/", "Baidu Browser", Own),
    ("LBBROWSER", "Liebao", Own),
    ("Maxthon", "Maxthon", Own),
    ("MxBrowser/", "Maxthon", Own),
    ("2345Explorer/", "2345 Explorer", Own),
    ("Silk/", "Silk", Own),
    ("Silk-Accelerated", "Silk", Own),
    ("Ecosia ", "Ecosia", OfEngine),
    ("EcosiaApp/", "Ecosia", OfEngine),
    ("AlohaBrowser/", "Aloha Browser", Own),
    ("coc_coc_browser/", "Coc Coc", Own),
    ("SznProhlizec/", "Seznam Browser", Own),
    ("Puffin/", "Puffin", Own),
    ("Dolphin/", "Dolphin", Own),
    ("Sleipnir/", "Sleipnir", Own),
    ("AvastSecureBrowser/", "Avast Secure Browser", Own),
    ("Avast/", "Avast Secure Browser", Own),
    ("AVG/", "AVG Secure Browser", Own),
    ("CCleaner/", "CCleaner Browser", Own),
    ("Norton/", "Norton Browser", Own),
    ("Avira/", "Avira Browser", Own),
    ("Iron/", "Iron", Own),
    ("Iron Safari/", "Iron", OfEngine),
    ("SputnikBrowser/", "Sputnik", Own),
    ("Comodo_Dragon/", "Comodo Dragon", Own),
    ("Falkon/", "Falkon", Own),
    ("QtWebEngine/", "QtWebEngine", Own),
    ("Epiphany/", "Epiphany", Own),
    ("Midori/", "Midori", Own),
    ("Konqueror/", "Konqueror", Own),
    ("Otter/", "Otter", Own),
    ("Mint Browser/", "Mint Browser", Own),
    ("NokiaBrowser/", "Nokia Browser", Own),
    ("BrowserNG/", "Nokia Browser", Own),
    ("NetFront/", "NetFront", Own),
    ("NetFront ", "NetFront", Own),
    ("NF-Browser/", "NetFront", Own),
    ("Dillo/", "Dillo", Own),
    ("UP.Browser/", "Openwave", Own),
    ("SamsungBrowser/", "Samsung Internet", Own),
    ("SeaMonkey/", "SeaMonkey", Own),
    ("PaleMoon/", "Pale Moon", Own),
    ("Waterfox/", "Waterfox", Own),
    ("LibreWolf/", "LibreWolf", Own),
    ("Basilisk/", "Basilisk", Own),
    ("Iceweasel/", "Iceweasel", Own),
    ("IceCat/", "IceCat", Own),
    ("K-Meleon/", "K-Meleon", Own),
    ("Camino/", "Camino", Own),
    ("Focus/", "Firefox Focus", Own),
    ("Klar/", "Firefox Focus", Own),
    ("Lynx/", "Lynx", Own),
    ("w3m/", "w3m", Own),
    ("Valve Steam", "Steam", OfEngine),
    ("obsidian/", "Obsidian", Own),
    ("Electron/", "Electron", Own),
    // What the table's others are made of.
    ("CriOS/", "Chrome", Own),
    ("FxiOS/", "Firefox", Own),
    ("Firefox/", "Firefox", Own),
];

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
    let version = agent.version("Version/");
    if agent.has("Chrome/") {
        return named(if is_web_view(agent) { "WebView" } else { "Chrome" }, engine_version(agent));
    }
    if agent.has("MSIE ") {
        return named("Internet Explorer", agent.version("MSIE "));
    }
    if agent.has("Trident/") {
        return named("Internet Explorer", agent.version("rv:"));
    }
    let is_safari = agent.has("Safari/");
    match system {
        Some("BlackBerry") => named("BlackBerry Browser", version),
        Some("Android") if is_safari => named("Android Browser", version),
        Some("Tizen") if is_safari => named("Samsung Internet", version),
        Some("iOS" | "macOS" | "tvOS") if is_safari => named("Safari", version),
        Some("iOS" | "macOS" | "tvOS") if agent.has("AppleWebKit/") => named("WebView", None),
        _ if is_safari && version.is_some() => named("Safari", version),
        _ => Browser::default(),
    }
}

/// Whether an app shows the page, one that does not say which.
fn is_web_view(agent: Agent<'_>) -> bool {
    agent.is_on("wv") || (agent.version("Version/") == Some("4.0") && agent.is_on("Android"))
}

/// The version of what shows the page, where it says so; `Version/4.0` of Android's is none.
fn engine_version(agent: Agent<'_>) -> Option<&str> {
    agent.version("Chrome/")
}
