//! Who asks: the holder of a project's secret key or a person who is signed in, and whether their bucket has a token.
//!
//! Both are items by the SHA-256 of a secret, with a token bucket, and both go through the same conditional update.

mod cookie;
mod credential;
mod key;
mod memory;
mod person;
mod public_key;
pub(crate) mod secret;
mod tokens;

pub use cookie::{Cookie, CookieScope, PERSON_LIMIT, is_own_cookie};
pub use credential::{Credential, CredentialKind};
pub use key::{ApiKey, KeyKind};
pub use memory::{Hint, KeyMemory};
pub use person::{Access, Person, PersonId, Projects, Role};
pub use public_key::public_project;
pub use tokens::{look_up, take_token};

pub(crate) use cookie::expires_at;
pub(crate) use credential::{SIGNED_OUT, Site};
pub(crate) use person::{ID_LENGTH, LABEL};

use std::sync::Arc;

use figures::ids::ProjectId;
use figures::table::store::{Item, read_text};

use crate::error::ApiError;

/// The attribute with a key's project.
pub const PROJECT: &str = "project";
/// The attribute with a key's kind.
pub const KIND: &str = "kind";
/// The attribute with the requests a minute.
pub const LIMIT: &str = "limit";
/// The attribute with the bucket's theoretical arrival time.
const ARRIVAL: &str = "tat";
/// The attribute with the instant of the last request.
pub const USED_AT: &str = "used_at";

/// Whom a credential is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Who has a project's secret key.
    Project(ProjectId),
    /// A person who is signed in.
    Person(Arc<Person>),
}

impl Holder {
    /// What the item of a credential says.
    fn read(item: &Item, credential: &Credential) -> Result<Self, ApiError> {
        let kind = credential.kind;
        if read_text(item, KIND)? != kind.name() {
            return Err(ApiError::Unauthorized(match kind {
                CredentialKind::SecretKey => credential::PUBLIC_KEY,
                CredentialKind::Cookie => SIGNED_OUT,
            }));
        }
        Ok(match kind {
            CredentialKind::SecretKey => Holder::Project(project_of(item)?),
            CredentialKind::Cookie => {
                Holder::Person(Arc::new(Person { id: PersonId::of(&credential.sha256), access: Access::read(item)? }))
            }
        })
    }
}

fn project_of(item: &Item) -> Result<ProjectId, ApiError> {
    read_text(item, PROJECT)?.parse().map_err(|_| ApiError::Internal("a key's project is no identifier".to_owned()))
}
