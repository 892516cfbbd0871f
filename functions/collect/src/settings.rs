//! What a project's owner decided about its pages.

use figures::ids::ProjectId;
use figures::retention::{Kept, Retention};
use figures::site::OriginPattern;
use figures::table::keys;
use figures::table::store::{Consistency, Item, ORIGINS, Store, StoreError};
use lambda_http::http::{HeaderMap, header};
use shared::error::ApiError;

use crate::cors::AllowedOrigin;

/// How long a warm instance believes a project's settings: as long as it believes its keys.
pub const SETTINGS_TRUST_MS: i64 = 45_000;

/// The settings of a project that matter to the collector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The origins whose pages may send data; none is any.
    origins: Vec<OriginPattern>,
    /// What the project keeps.
    pub kept: Kept,
}

impl Settings {
    /// Reads a project's settings; a project without an item has none. The default is of who has no setting of its own.
    pub async fn load(store: &Store, project: &ProjectId, default: Retention) -> Result<Self, StoreError> {
        let key = keys::project(project);
        match store.get(&key, Consistency::Eventual).await? {
            None => Ok(Settings { kept: Kept::of(None, default), ..Settings::default() }),
            // A list that can't be read must not become "any origin".
            Some(item) => Settings::read(&item, Kept::of(Some(&item), default)).ok_or_else(|| StoreError::Corrupt {
                key: format!("{} / {}", key.pk, key.sk),
                cause: format!("attribute {ORIGINS} is no list of texts"),
            }),
        }
    }

    fn read(item: &Item, kept: Kept) -> Option<Self> {
        let Some(origins) = item.get(ORIGINS) else { return Some(Settings { origins: Vec::new(), kept }) };
        let origins = origins.as_l().ok()?.iter().map(|origin| Some(OriginPattern::stored(origin.as_s().ok()?)));
        Some(Settings { origins: origins.collect::<Option<_>>()?, kept })
    }

    /// Who may read the answer to a request with these headers; an error if the page must not send.
    /// A request without an `Origin` is no page's: CORS protects no one there.
    pub fn allowed(&self, headers: &HeaderMap) -> Result<AllowedOrigin, ApiError> {
        if self.origins.is_empty() {
            return Ok(AllowedOrigin::Any);
        }
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(AllowedOrigin::Any) };
        if origin.to_str().is_ok_and(|origin| self.origins.iter().any(|listed| listed.matches(origin))) {
            Ok(AllowedOrigin::Only(origin.clone()))
        } else {
            Err(ApiError::OriginNotAllowed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::http::HeaderValue;

    fn ask(origins: &[&str], origin: Option<&'static str>) -> Result<AllowedOrigin, ApiError> {
        let mut headers = HeaderMap::new();
        headers.extend(origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))));
        let origins = origins.iter().map(|origin| OriginPattern::stored(origin)).collect();
        Settings { origins, kept: Kept::default() }.allowed(&headers)
    }

    #[test]
    fn any_page_may_send_unless_origins_are_listed() {
        assert!(matches!(ask(&[], Some("https://a.example")), Ok(AllowedOrigin::Any)));
        let listed = ["https://a.example", "http://b.example:8080"];
        for origin in listed {
            assert!(matches!(ask(&listed, Some(origin)), Ok(AllowedOrigin::Only(only)) if only == origin));
        }
        assert!(matches!(ask(&listed, None), Ok(AllowedOrigin::Any)));
        for origin in ["https://c.example", "http://a.example", "https://a.example.evil", "null", ""] {
            assert!(matches!(ask(&listed, Some(origin)), Err(ApiError::OriginNotAllowed)), "{origin}");
        }
    }
}
