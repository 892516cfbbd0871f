//! Which encoding a client wants (RFC 9110, section 12.5.3).

use http::{HeaderMap, header};

/// An encoding that files are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The smallest.
    Brotli,
    /// What everyone understands.
    Gzip,
    /// None.
    Identity,
}

/// What is not compressed is for whoever wants nothing else.
const UNASKED: f32 = f32::MIN_POSITIVE;

impl Encoding {
    /// The one to answer with: what the client weighs most, and of equals the smallest. A client that refuses all of them
    /// is sent what it can read without decoding.
    pub fn preferred(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
        let accepted: Vec<(String, f32)> =
            lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).filter_map(weighed).collect();
        let weight = |names: &[&str]| {
            let of = |wanted: &dyn Fn(&str) -> bool| {
                accepted.iter().find(|(name, _)| wanted(name)).map(|(_, weight)| *weight)
            };
            of(&|name| names.contains(&name)).or_else(|| of(&|name| name == "*"))
        };
        let mut preferred = (Encoding::Identity, 0.0);
        for (encoding, weight) in [
            (Encoding::Brotli, weight(&["br"]).unwrap_or_default()),
            (Encoding::Gzip, weight(&["gzip", "x-gzip"]).unwrap_or_default()),
            (Encoding::Identity, weight(&["identity"]).unwrap_or(UNASKED)),
        ] {
            if weight > preferred.1 {
                preferred = (encoding, weight);
            }
        }
        preferred.0
    }

    /// Its name in `Content-Encoding`.
    pub fn coding(self) -> Option<&'static str> {
        match self {
            Encoding::Brotli => Some("br"),
            Encoding::Gzip => Some("gzip"),
            Encoding::Identity => None,
        }
    }
}

/// An item of `Accept-Encoding`: a name and its weight, which is 1 where none is said and 0 where it can't be read.
fn weighed(item: &str) -> Option<(String, f32)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let weight = parts.find_map(|part| {
        let (parameter, value) = part.split_once('=')?;
        parameter.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse().unwrap_or_default())
    });
    Some((name, weight.unwrap_or(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn preferred(lines: &[&'static str]) -> Encoding {
        let lines = lines.iter().map(|line| (header::ACCEPT_ENCODING, HeaderValue::from_static(line)));
        Encoding::preferred(&lines.collect())
    }

    #[test]
    fn what_the_client_weighs_most_is_taken_and_of_equals_the_smallest() {
        for (lines, expected) in [
            (&[][..], Encoding::Identity),
            (&[""], Encoding::Identity),
            (&["gzip, deflate, br, zstd"], Encoding::Brotli),
            (&["gzip, deflate"], Encoding::Gzip),
            (&["x-gzip"], Encoding::Gzip),
            (&["GZIP;Q=1, Br ; q = 0.9"], Encoding::Gzip),
            (&["deflate", "gzip;q=0.2", "br;q=0.3"], Encoding::Brotli),
            (&["br;q=0.001"], Encoding::Brotli),
            (&["zstd, deflate"], Encoding::Identity),
            (&["identity"], Encoding::Identity),
            (&["gzip;q=0.5, identity"], Encoding::Identity),
            (&["gzip, identity;q=0.5"], Encoding::Gzip),
            (&["*"], Encoding::Brotli),
            (&["br;q=0, *"], Encoding::Gzip),
            (&["br;q=0, gzip;q=0.0"], Encoding::Identity),
            (&["identity;q=0.5, *;q=0"], Encoding::Identity),
            (&["gzip, *;q=0"], Encoding::Gzip),
            // Nothing that is there suits the client.
            (&["identity;q=0"], Encoding::Identity),
            (&["*;q=0"], Encoding::Identity),
            // No weights.
            (&["br;q=x, gzip;q=NaN, ;, ,"], Encoding::Identity),
            (&["br;level=5"], Encoding::Brotli),
        ] {
            assert_eq!(preferred(lines), expected, "{lines:?}");
        }
    }
}
