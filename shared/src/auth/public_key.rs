//! The keys that pages send with.

use figures::ids::ProjectId;
use figures::table::keys;
use figures::table::store::{Consistency, Store, read_text};
use figures::time::Millis;

use super::credential::BAD_KEY;
use super::holder::{KIND, project_of};
use super::key::{ApiKey, KeyKind};
use super::memory::KeyMemory;
use crate::error::ApiError;

const SECRET_KEY: &str = "The collector takes a public key (pk_live_). Never put a secret key in a page.";

/// The project that a public key sends to.
pub async fn public_project(store: &Store, memory: &KeyMemory, key: &str, now: Millis) -> Result<ProjectId, ApiError> {
    let key = ApiKey::parse(key).ok_or(ApiError::Unauthorized(BAD_KEY))?;
    if key.kind() == KeyKind::Secret {
        return Err(ApiError::Unauthorized(SECRET_KEY));
    }
    let hash = key.sha256();
    if let Some(project) = memory.public(&hash, now) {
        return Ok(project);
    }
    let Some(item) = store.get(&keys::api_key(&hash), Consistency::Eventual).await? else {
        memory.forget_public(&hash);
        return Err(ApiError::Unauthorized(BAD_KEY));
    };
    if read_text(&item, KIND)? != KeyKind::Public.name() {
        return Err(ApiError::Unauthorized(SECRET_KEY));
    }
    let project = project_of(&item)?;
    memory.confirm_public(hash, project.clone(), now);
    Ok(project)
}
