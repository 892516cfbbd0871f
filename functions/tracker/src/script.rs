//! The built scripts, each in the encodings it was compressed in when it was built.

use std::sync::LazyLock;

use http::HeaderValue;
use sha2::{Digest, Sha256};

use crate::encoding::Encoding;

/// Bytes of the hash in a tag: 128 bits never meet by chance.
const TAG_BYTES: usize = 16;

/// A script as one encoding has it.
pub struct Representation {
    /// The encoded script.
    pub bytes: &'static [u8],
    /// Its strong `ETag`. Other bytes have another tag, and so has each encoding.
    pub tag: HeaderValue,
}

/// A script in all its encodings.
pub struct Script {
    brotli: Representation,
    gzip: Representation,
    plain: Representation,
}

static WHOLE: LazyLock<Script> = LazyLock::new(|| Script {
    brotli: Representation::of(include_bytes!("../../../tracker/dist/identity.js.br")),
    gzip: Representation::of(include_bytes!("../../../tracker/dist/identity.js.gz")),
    plain: Representation::of(include_bytes!("../../../tracker/dist/identity.js")),
});

/// What the whole one fetches once the page is idle, and holds to its hash.
static MORE: LazyLock<Script> = LazyLock::new(|| Script {
    brotli: Representation::of(include_bytes!("../../../tracker/dist/identity-more.js.br")),
    gzip: Representation::of(include_bytes!("../../../tracker/dist/identity-more.js.gz")),
    plain: Representation::of(include_bytes!("../../../tracker/dist/identity-more.js")),
});

static LITE: LazyLock<Script> = LazyLock::new(|| Script {
    brotli: Representation::of(include_bytes!("../../../tracker/dist/identity-lite.js.br")),
    gzip: Representation::of(include_bytes!("../../../tracker/dist/identity-lite.js.gz")),
    plain: Representation::of(include_bytes!("../../../tracker/dist/identity-lite.js")),
});

impl Script {
    /// The script at a path, whatever stands before its name.
    pub fn at(path: &str) -> Option<&'static Self> {
        match path.rsplit('/').next()? {
            "identity.js" => Some(&WHOLE),
            "identity-more.js" => Some(&MORE),
            "identity-lite.js" => Some(&LITE),
            _ => None,
        }
    }

    /// The script in an encoding.
    pub fn in_encoding(&self, encoding: Encoding) -> &Representation {
        match encoding {
            Encoding::Brotli => &self.brotli,
            Encoding::Gzip => &self.gzip,
            Encoding::Identity => &self.plain,
        }
    }
}

impl Representation {
    fn of(bytes: &'static [u8]) -> Self {
        let hash = Sha256::digest(bytes);
        let digits: String = hash.iter().take(TAG_BYTES).map(|byte| format!("{byte:02x}")).collect();
        // Digits are legal in any header; no tag would only cost a cache.
        let tag = HeaderValue::try_from(format!("\"{digits}\""));
        Representation { bytes, tag: tag.unwrap_or_else(|_| HeaderValue::from_static("\"\"")) }
    }
}
