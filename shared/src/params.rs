//! Query parameters, decoded once.

use std::borrow::Cow;

use crate::error::ApiError;
use crate::time::Day;

/// The decoded query of a request, and the day it is answered on.
#[derive(Debug, Clone)]
pub struct Params {
    pairs: Vec<(String, String)>,
    today: Day,
}

impl Params {
    /// Decodes `a=1&b=2`. Invalid UTF-8 becomes replacement characters.
    pub fn parse(query: &str, today: Day) -> Self {
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        Params { pairs: form_urlencoded::parse(query.as_bytes()).map(owned).collect(), today }
    }

    /// The current UTC day.
    pub fn today(&self) -> Day {
        self.today
    }

    /// All parameters, in the order given.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A parameter's value; the first one where it is repeated.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A filter: an empty value filters nothing.
    pub fn filter(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A filter that ignores case, lower-cased.
    pub fn folded(&self, name: &str) -> Option<String> {
        self.filter(name).map(str::to_lowercase)
    }

    /// An integer of at least `min`. A number too large to hold is the largest that can be.
    pub fn integer(&self, name: &str, min: u64, default: u64) -> Result<u64, ApiError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let refused = || ApiError::InvalidParameter(format!("{name} must be an integer of at least {min}."));
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        let value = text.parse().unwrap_or(u64::MAX);
        if value < min { Err(refused()) } else { Ok(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_strictly() {
        let read = |query: &str| Params::parse(query, Day(0)).integer("page", 1, 7).ok();
        assert_eq!(read(""), Some(7));
        assert_eq!(read("page=3&page=4"), Some(3));
        assert_eq!(read("page=99999999999999999999999"), Some(u64::MAX));
        for query in ["page=0", "page=-1", "page=1.5", "page=", "page=one", "page=+1", "page=%201"] {
            assert_eq!(read(query), None, "{query}");
        }
    }
}
