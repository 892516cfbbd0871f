//! Whom a credential is.

use std::sync::Arc;

use figures::ids::ProjectId;
use figures::table::store::{Item, read_text};

use super::credential::{Credential, CredentialKind, PUBLIC_KEY, SIGNED_OUT};
use super::person::{Access, Person, PersonId};
use crate::error::ApiError;

/// The attribute with a key's project.
pub const PROJECT: &str = "project";
/// The attribute with a key's kind.
pub const KIND: &str = "kind";
/// The attribute with the requests a minute.
pub const LIMIT: &str = "limit";
/// The attribute with the bucket's theoretical arrival time.
pub(super) const ARRIVAL: &str = "tat";
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
    pub(super) fn read(item: &Item, credential: &Credential) -> Result<Self, ApiError> {
        let kind = credential.kind;
        if read_text(item, KIND)? != kind.name() {
            return Err(ApiError::Unauthorized(match kind {
                CredentialKind::SecretKey => PUBLIC_KEY,
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

/// The project of a key's item.
pub(super) fn project_of(item: &Item) -> Result<ProjectId, ApiError> {
    read_text(item, PROJECT)?.parse().map_err(|_| ApiError::Internal("a key's project is no identifier".to_owned()))
}
