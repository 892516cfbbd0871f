//! Browsers, systems, devices and countries by the names that the collector gives them.

use super::values::short;

/// Other tools' words for what they don't know.
const UNKNOWN: [&str; 7] = ["unknown", "unk", "null", "none", "other", "(other)", "\\n"];

fn known(name: &str) -> Option<&str> {
    let name = name.trim_matches(|character: char| character.is_whitespace() || character == '\0');
    let is_unknown = name.is_empty() || UNKNOWN.iter().any(|word| name.eq_ignore_ascii_case(word));
    (!is_unknown).then_some(name)
}

/// A browser.
pub fn browser(name: &str) -> Option<String> {
    let name = known(name)?;
    let ours = match name.to_lowercase().as_str() {
        "chrome" | "chrome mobile" | "mobile chrome" | "chrome mobile ios" | "crios" | "chrome (ios)" => "Chrome",
        "safari" | "mobile safari" | "ios" => "Safari",
        "firefox" | "fxios" | "mobile firefox" | "firefox mobile" | "firefox mobile ios" => "Firefox",
        "edge" | "edge-chromium" | "edge-ios" | "microsoft edge" => "Edge",
        "opera" | "opera mobile" | "opera-mini" | "opera mini" | "opera touch" | "opera gx" => "Opera",
        "samsung" | "samsung internet" | "samsung browser" => "Samsung Internet",
        "ie" | "internet explorer" => "Internet Explorer",
        "yandexbrowser" | "yandex browser" => "Yandex Browser",
        "android webview" | "chrome webview" | "chromium-webview" | "ios-webview" | "safari (in-app)" => "WebView",
        "duckduckgo" | "duckduckgo privacy browser" | "duckduckgo mobile" => "DuckDuckGo",
        "miui browser" | "miuibrowser" | "mi browser" => "MIUI Browser",
        "uc browser" | "ucbrowser" => "UC Browser",
        "huawei browser" | "huaweibrowser" | "huawei browser mobile" => "Huawei Browser",
        "silk" | "amazon silk" | "mobile silk" => "Silk",
        "android" | "android browser" => "Android Browser",
        "gsa" | "google search app" => "Google Search App",
        "twitter" | "x" => "X",
        "facebook" => "Facebook",
        "instagram" => "Instagram",
        _ => name,
    };
    short(ours)
}

/// An operating system, without its version.
pub fn system(name: &str) -> Option<String> {
    let name = known(name)?;
    let lower = name.to_lowercase();
    let ours = match lower.as_str() {
        "windows phone" | "windows mobile" => "Windows Phone",
        "mac" | "mac os" | "mac os x" | "os x" | "macos" | "macintosh" => "macOS",
        "ios" | "ipados" => "iOS",
        "android" | "android os" | "fire os" => "Android",
        "harmonyos" | "openharmony" => "HarmonyOS",
        "linux" | "gnu/linux" => "Linux",
        "chrome os" | "chromeos" | "chromium os" => "Chrome OS",
        _ if lower.starts_with("windows") => "Windows",
        _ => name,
    };
    short(ours)
}

/// 1 for a phone or tablet, 0 for what is none.
pub fn mobile(device: &str) -> Option<u8> {
    match known(device)?.to_lowercase().as_str() {
        "mobile" | "smartphone" | "phone" | "feature phone" | "tablet" | "phablet" => Some(1),
        "desktop" | "laptop" | "ultra-wide" | "tv" | "smart tv" | "smarttv" | "console" => Some(0),
        _ => None,
    }
}

/// Countries by the names that Google and others give them, where ISO 3166-1 has a longer or another one. The first of a
/// country is what it is called here.
const NAMES: [(&str, &str); 69] = [
    ("AG", "Antigua & Barbuda"),
    ("BA", "Bosnia & Herzegovina"),
    ("BL", "St. Barth\u{e9}lemy"),
    ("BN", "Brunei"),
    ("BO", "Bolivia"),
    ("BQ", "Caribbean Netherlands"),
    ("CD", "Congo - Kinshasa"),
    ("CD", "Democratic Republic of the Congo"),
    ("CD", "DR Congo"),
    ("CG", "Congo - Brazzaville"),
    ("CG", "Republic of the Congo"),
    ("CI", "C\u{f4}te d\u{2019}Ivoire"),
    ("CI", "C\u{f4}te d'Ivoire"),
    ("CI", "Ivory Coast"),
    ("CV", "Cape Verde"),
    ("CZ", "Czechia"),
    ("CZ", "Czech Republic"),
    ("FK", "Falkland Islands"),
    ("FK", "Falkland Islands (Islas Malvinas)"),
    ("FM", "Micronesia"),
    ("GB", "United Kingdom"),
    ("GS", "South Georgia & South Sandwich Islands"),
    ("HK", "Hong Kong"),
    ("HK", "Hong Kong SAR China"),
    ("HM", "Heard & McDonald Islands"),
    ("IR", "Iran"),
    ("KN", "St. Kitts & Nevis"),
    ("KP", "North Korea"),
    ("KR", "South Korea"),
    ("LA", "Laos"),
    ("LC", "St. Lucia"),
    ("MD", "Moldova"),
    ("MF", "St. Martin"),
    ("MK", "North Macedonia"),
    ("MK", "Macedonia (FYROM)"),
    ("MM", "Myanmar"),
    ("MM", "Myanmar (Burma)"),
    ("MO", "Macao"),
    ("MO", "Macau"),
    ("NL", "Netherlands"),
    ("NL", "The Netherlands"),
    ("PM", "St. Pierre & Miquelon"),
    ("PS", "Palestine"),
    ("PS", "Palestinian Territories"),
    ("RU", "Russia"),
    ("SH", "St. Helena"),
    ("SJ", "Svalbard & Jan Mayen"),
    ("ST", "S\u{e3}o Tom\u{e9} & Pr\u{ed}ncipe"),
    ("SX", "Sint Maarten"),
    ("SY", "Syria"),
    ("SZ", "Eswatini"),
    ("SZ", "Swaziland"),
    ("TC", "Turks & Caicos Islands"),
    ("TR", "T\u{fc}rkiye"),
    ("TR", "Turkey"),
    ("TT", "Trinidad & Tobago"),
    ("TW", "Taiwan"),
    ("TZ", "Tanzania"),
    ("UM", "U.S. Outlying Islands"),
    ("US", "United States"),
    ("US", "United States of America"),
    ("VA", "Vatican City"),
    ("VC", "St. Vincent & Grenadines"),
    ("VE", "Venezuela"),
    ("VG", "British Virgin Islands"),
    ("VI", "U.S. Virgin Islands"),
    ("VN", "Vietnam"),
    ("WF", "Wallis & Futuna"),
    ("XK", "Kosovo"),
];

/// A country by its code, ISO 3166-1 alpha-2 in either case: code and English name.
pub fn country_of_code(code: &str) -> Option<(String, String)> {
    let code = known(code)?.to_ascii_uppercase();
    let name = NAMES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name);
    let name = name.or_else(|| rust_iso3166::from_alpha2(&code).map(|country| country.name))?;
    Some((code, name.to_owned()))
}

/// A country by its English name: code, if it is known, and name.
pub fn country_of_name(name: &str) -> Option<(Option<String>, String)> {
    let name = known(name)?;
    let named = NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(code, _)| *code);
    let code = named.or_else(|| {
        let by_iso = |country: &&rust_iso3166::CountryCode| country.name.eq_ignore_ascii_case(name);
        rust_iso3166::ALL.iter().find(by_iso).map(|country| country.alpha2)
    });
    match code.and_then(country_of_code) {
        Some((code, name)) => Some((Some(code), name)),
        None => Some((None, short(name)?)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn names_are_the_collectors() {
        for (name, expected) in [
            ("Chrome", "Chrome"),
            ("crios", "Chrome"),
            ("Mobile Safari", "Safari"),
            ("Microsoft Edge", "Edge"),
            ("edge-chromium", "Edge"),
            ("DuckDuckGo Privacy Browser", "DuckDuckGo"),
            ("Mi Browser", "MIUI Browser"),
            ("Amazon Silk", "Silk"),
            ("Twitter", "X"),
            ("Vivaldi", "Vivaldi"),
        ] {
            assert_eq!(browser(name).as_deref(), Some(expected), "{name}");
        }
        for (name, expected) in [
            ("Windows 10", "Windows"),
            ("Macintosh", "macOS"),
            ("Mac OS", "macOS"),
            ("Android OS", "Android"),
            ("GNU/Linux", "Linux"),
            ("OpenHarmony", "HarmonyOS"),
            ("Tizen", "Tizen"),
        ] {
            assert_eq!(system(name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(
            (browser("unknown"), system(""), mobile("Tablet"), mobile("laptop")),
            (None, None, Some(1), Some(0))
        );
    }

    #[test]
    fn countries_are_found_by_code_and_by_name() {
        let both = |code: &str, name: &str| Some((code.to_owned(), name.to_owned()));
        assert_eq!(country_of_code("rs"), both("RS", "Serbia"));
        assert_eq!(country_of_code("US"), both("US", "United States"));
        assert_eq!((country_of_code("\0\0"), country_of_code("xx"), country_of_code("")), (None, None, None));
        for (name, code) in [
            ("United Kingdom", "GB"),
            ("Germany", "DE"),
            ("T\u{fc}rkiye", "TR"),
            ("Vietnam", "VN"),
            ("Myanmar (Burma)", "MM"),
            ("Netherlands", "NL"),
            ("Czech Republic", "CZ"),
        ] {
            assert_eq!(country_of_name(name).unwrap().0.as_deref(), Some(code), "{name}");
        }
        assert_eq!(country_of_name("Atlantis"), Some((None, "Atlantis".to_owned())));
    }

    #[test]
    fn every_country_has_one_name() {
        for country in rust_iso3166::ALL {
            let (code, name) = country_of_code(country.alpha2).unwrap();
            assert_eq!(country_of_name(&name), Some((Some(code), name)));
        }
    }
}
