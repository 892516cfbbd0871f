//! User agent client hints: what Chromium's browsers tell beside a user agent that they have frozen.
//!
//! `Sec-CH-UA`, `Sec-CH-UA-Mobile` and `Sec-CH-UA-Platform` come with every request over TLS, unasked. The full versions
//! come from pages alone whose own server asks for them (`Accept-CH`), and for this host too (`Permissions-Policy`).

use lambda_http::http::HeaderMap;

use super::MAX_VERSION;

const BRANDS: &str = "sec-ch-ua";
const FULL_VERSIONS: &str = "sec-ch-ua-full-version-list";
const PLATFORM: &str = "sec-ch-ua-platform";
const MOBILE: &str = "sec-ch-ua-mobile";

/// Brands by our names, those first that stand beside another's brand. `Chromium` and made-up ones are left out.
const NAMES: &[(&str, &str)] = &[
    ("Microsoft Edge WebView2", "WebView"),
    ("Android WebView", "WebView"),
    ("Microsoft Edge", "Edge"),
    ("Opera", "Opera"),
    ("OperaMobile", "Opera"),
    ("Opera GX", "Opera"),
    ("Brave", "Brave"),
    ("Brave Browser", "Brave"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Samsung Internet", "Samsung Internet"),
    ("YaBrowser", "Yandex Browser"),
    ("Yandex", "Yandex Browser"),
    ("Vivaldi", "Vivaldi"),
    ("Whale", "Whale"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("Oculus Browser", "Meta Quest Browser"),
    ("Avast Secure Browser", "Avast Secure Browser"),
    ("AvastSecureBrowser", "Avast Secure Browser"),
    ("AVG Secure Browser", "AVG Secure Browser"),
    ("Avira Secure Browser", "Avira Browser"),
    ("CCleaner Browser", "CCleaner Browser"),
    ("Norton Private Browser", "Norton Browser"),
    ("Google Chrome", "Chrome"),
];

/// The brand of a browser without a window.
const HEADLESS: &str = "HeadlessChrome";

/// Names that a user agent gives which has no better one.
const GENERIC: [&str; 3] = ["Chrome", "Chromium", "WebView"];

/// Platforms by our names. Of another system, the user agent says more.
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("macOS", "macOS"),
    ("Linux", "Linux"),
    ("Android", "Android"),
    ("Chrome OS", "Chrome OS"),
    ("Chromium OS", "Chrome OS"),
    ("Fuchsia", "Fuchsia"),
];

/// What a request's hints say; nothing where it has none.
#[derive(Debug, Default)]
pub struct Hints {
    /// Brands with their major version, or whatever they give.
    brands: Vec<Brand>,
    /// Brands with their full version.
    full: Vec<Brand>,
    system: Option<&'static str>,
    is_mobile: Option<bool>,
}

#[derive(Debug)]
struct Brand {
    brand: String,
    version: String,
}

impl Hints {
    /// A request's.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let platform = text(PLATFORM).trim().trim_matches('"');
        Hints {
            brands: brands(text(BRANDS)),
            full: brands(text(FULL_VERSIONS)),
            system: SYSTEMS.iter().find(|(name, _)| *name == platform).map(|(_, system)| *system),
            is_mobile: match text(MOBILE).trim() {
                "?1" => Some(true),
                "?0" => Some(false),
                _ => None,
            },
        }
    }

    /// Whether they are those of a browser without a window.
    pub fn are_headless(&self) -> bool {
        self.brands.iter().chain(&self.full).any(|brand| brand.brand == HEADLESS)
    }

    /// The browser's name and version, where the user agent says what it does.
    pub fn browser<'a>(
        &'a self,
        name: Option<&'a str>,
        version: Option<&'a str>,
    ) -> (Option<&'a str>, Option<&'a str>) {
        let hinted = self.name().filter(|_| name.is_none_or(|name| GENERIC.contains(&name)));
        let Some(called) = hinted.or(name) else { return (None, version) };
        let full = self.version(&self.full, called);
        let of_brand = self.version(&self.brands, called).filter(|_| name != Some(called));
        // A browser that gives its major version alone may have Chromium's number, which the user agent has at more length.
        let is_prefix = |short: &&str| version.is_some_and(|long| long.split('.').next() == Some(*short));
        let version = full.or(of_brand.filter(|short| !is_prefix(short))).or(version);
        (Some(called), version)
    }

    /// The system, where the user agent says what it does.
    pub fn system<'a>(&self, system: Option<&'a str>) -> Option<&'a str> {
        let is_common = system.is_none_or(|system| SYSTEMS.iter().any(|(_, name)| *name == system));
        self.system.filter(|_| is_common).or(system)
    }

    /// 1 for a phone or tablet, on a system that the user agent says, as it says what it does. A tablet is none that hints
    /// call mobile, and a television with Android may be.
    pub fn mobile(&self, system: Option<&str>, mobile: Option<u8>) -> Option<u8> {
        match (self.is_mobile, self.system) {
            _ if system == Some("Android") && mobile == Some(0) => mobile,
            (Some(true), _) => Some(1),
            (Some(false), Some("Windows" | "macOS" | "Linux" | "Chrome OS")) => Some(0),
            _ => mobile.or(self.is_mobile.map(u8::from)),
        }
    }

    fn name(&self) -> Option<&'static str> {
        let has = |wanted: &str| self.brands.iter().chain(&self.full).any(|brand| brand.brand == wanted);
        NAMES.iter().find(|(brand, _)| has(brand)).map(|(_, name)| *name)
    }

    /// The version of the brand that has one of our names.
    fn version<'a>(&self, brands: &'a [Brand], name: &str) -> Option<&'a str> {
        let is_named = |brand: &&Brand| NAMES.iter().any(|(known, ours)| *known == brand.brand && *ours == name);
        brands.iter().find(is_named).map(|brand| brand.version.as_str()).filter(|version| is_version(version))
    }
}

/// Reads `"Chromium";v="126", "Google Chrome";v="126"`: what stands between quotes is a brand and its version in turn.
fn brands(text: &str) -> Vec<Brand> {
    let mut quoted = text.split('"').skip(1).step_by(2);
    let mut brands = Vec::new();
    while let (Some(brand), Some(version)) = (quoted.next(), quoted.next()) {
        brands.push(Brand { brand: brand.to_owned(), version: version.to_owned() });
    }
    brands
}

fn is_version(text: &str) -> bool {
    (1..=MAX_VERSION).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.starts_with(|first: char| first.is_ascii_digit())
}
