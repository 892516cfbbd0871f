//! The built scripts, each in the encodings it was compressed in when it was built.

use std::sync::LazyLock;

use shared::embedded::Embedded;

const KIND: &str = "text/javascript; charset=utf-8";

static WHOLE: LazyLock<Embedded> = LazyLock::new(|| {
    Embedded::new(
        KIND,
        include_bytes!("../../../tracker/dist/identity.js"),
        include_bytes!("../../../tracker/dist/identity.js.gz"),
        include_bytes!("../../../tracker/dist/identity.js.br"),
    )
});

/// What the whole one fetches once the page is idle, and holds to its hash.
static MORE: LazyLock<Embedded> = LazyLock::new(|| {
    Embedded::new(
        KIND,
        include_bytes!("../../../tracker/dist/identity-more.js"),
        include_bytes!("../../../tracker/dist/identity-more.js.gz"),
        include_bytes!("../../../tracker/dist/identity-more.js.br"),
    )
});

static LITE: LazyLock<Embedded> = LazyLock::new(|| {
    Embedded::new(
        KIND,
        include_bytes!("../../../tracker/dist/identity-lite.js"),
        include_bytes!("../../../tracker/dist/identity-lite.js.gz"),
        include_bytes!("../../../tracker/dist/identity-lite.js.br"),
    )
});

/// The script at a path, whatever stands before its name.
pub fn at(path: &str) -> Option<&'static Embedded> {
    match path.rsplit('/').next()? {
        "identity.js" => Some(&WHOLE),
        "identity-more.js" => Some(&MORE),
        "identity-lite.js" => Some(&LITE),
        _ => None,
    }
}
