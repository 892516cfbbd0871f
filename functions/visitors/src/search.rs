//! Free-text search over visits.

use figures::ids::ProjectId;
use figures::log::SessionEntry;
use figures::table::ip::IpKeys;
use figures::table::store::{Store, StoreError};
use figures::time::Millis;

/// A text to be found, and the keys to read addresses with.
pub struct Search<'a> {
    needle: &'a str,
    keys: IpKeys,
}

impl<'a> Search<'a> {
    /// Prepares to search for a lower-cased text. Addresses are read only if one could contain it.
    pub async fn prepare(store: &Store, project: &ProjectId, now: Millis, needle: &'a str) -> Result<Self, StoreError> {
        let keys = match within_address(needle) {
            true => IpKeys::load(store, project, now).await?,
            false => IpKeys::default(),
        };
        Ok(Search { needle, keys })
    }

    /// Whether the visitor's id, the visit's device, its location or its address contains the text.
    pub fn matches(&self, visitor: &str, visit: &SessionEntry<&str>) -> bool {
        let texts = [visit.browser_name, visit.os, visit.geo_country, visit.geo_country_code, visit.geo_city];
        let mut texts = texts.into_iter().flatten().chain([visitor]);
        texts.any(|text| contains(text, self.needle)) || self.matches_address(visit)
    }

    fn matches_address(&self, visit: &SessionEntry<&str>) -> bool {
        let address = visit.ip.as_ref().and_then(|ip| self.keys.decrypt(ip));
        address.is_some_and(|address| address.to_string().contains(self.needle))
    }
}

/// Whether a text contains a lower-cased one, whatever its own case. Nearly all texts are ASCII, which needs no copy.
fn contains(text: &str, needle: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(needle);
    }
    let parts = text.as_bytes().windows(needle.len().max(1));
    needle.is_ascii() && parts.into_iter().any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Whether an address could contain a text.
fn within_address(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'.' || byte == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_searched_on_its_own() {
        let visit = SessionEntry {
            started_at: Millis(0),
            next_day: None,
            url: Some("/landing"),
            browser_name: Some("Chrome"),
            os: Some("Windows"),
            geo_country: Some("Österreich"),
            geo_country_code: Some("AT"),
            geo_city: Some("Wien"),
            ip: None,
        };
        let found = |needle| Search { needle, keys: IpKeys::default() }.matches("v_A1", &visit);
        for needle in ["v_a1", "rom", "windows", "öster", "at", "wien"] {
            assert!(found(needle), "{needle}");
        }
        for needle in ["chromewindows", "landing", "v_a12", "firefox"] {
            assert!(!found(needle), "{needle}");
        }
    }

    #[test]
    fn only_what_looks_like_an_address_is_searched_in_addresses() {
        for text in ["203.0.113", "2001:db8::1", "9"] {
            assert!(within_address(text), "{text}");
        }
        for text in ["chrome", "10.0.0.x", " "] {
            assert!(!within_address(text), "{text}");
        }
    }
}
