//! Who asks: the holder of a project's secret key or a person who is signed in, and whether their bucket has a token.
//!
//! Both are items by the SHA-256 of a secret, with a token bucket, and both go through the same conditional update.

mod cookie;
mod credential;
mod holder;
mod key;
mod memory;
mod person;
mod public_key;
pub(crate) mod secret;
mod tokens;

pub use cookie::{Cookie, CookieScope, PERSON_LIMIT, is_own_cookie};
pub use credential::{Credential, CredentialKind};
pub use holder::{Holder, KIND, LIMIT, PROJECT, USED_AT};
pub use key::{ApiKey, KeyKind};
pub use memory::{Hint, KeyMemory};
pub use person::{Access, Person, PersonId, Projects, Role};
pub use public_key::public_project;
pub use tokens::{look_up, take_token};

pub(crate) use cookie::expires_at;
pub(crate) use credential::{SIGNED_OUT, Site};
pub(crate) use person::LABEL;
pub(crate) use secret::{ID_LENGTH, id_of};
