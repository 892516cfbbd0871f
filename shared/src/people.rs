//! People: invited by a link, signed in, listed, and shut out.

use std::fmt;

use figures::table::keys;
use figures::table::store::{
    CREATED_AT, Consistency, EXPIRES, Item, Outcome, Query, SK, Store, StoreError, Write, key_item, number,
    read_number, read_text, text,
};
use figures::time::Millis;
use serde::Serialize;

use crate::auth::secret::{LENGTH, is_random_text, random_text, sha256};
use crate::auth::{
    Access, Cookie, CredentialKind, KIND, LIMIT, PERSON_LIMIT, Person, PersonId, Projects, USED_AT, expires_at,
};
use crate::telemetry::readable;

/// How long an invitation is good, in milliseconds.
pub const INVITATION_MS: i64 = 15 * 60_000;

/// The most projects that an invitation may name, other than all: each request of the person writes their names anew.
pub const MAX_PROJECTS: usize = 20;

const INVITED_BY: &str = "invited_by";

/// How long an entry is not taken for one whose cookie is gone, in milliseconds: the two are stored together, and may be seen one after
/// the other.
const STORED_APART_MS: i64 = 60_000;

/// Tries at an invitation that others try at, too.
const MAX_TRIES: usize = 4;

/// What an invitation is accepted with: 256 random bits. Never stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation(String);

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invitation(…)")
    }
}

impl Invitation {
    /// Reads what stands in a link.
    pub fn parse(text: &str) -> Option<Self> {
        is_random_text(text, LENGTH).then(|| Invitation(text.to_owned()))
    }

    /// The link that lets somebody in, below the address of the dashboard. What follows a `#` is sent to no server, and so is in no
    /// log.
    pub fn link(&self, base_url: &str) -> String {
        format!("{}/#/sign-in/{}", base_url.trim_end_matches('/'), self.0)
    }
}

/// Who is signed in, as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownPerson {
    /// Who it is.
    #[serde(flatten)]
    pub person: Person,
    /// When they signed in.
    pub signed_in_at: Option<Millis>,
    /// When they last asked for anything.
    pub last_seen_at: Option<Millis>,
}

/// Invites somebody: good once, and for [`INVITATION_MS`], but no longer than whoever invites has access themselves, where it is a
/// person with a cookie.
pub async fn invite(
    store: &Store,
    access: &Access,
    inviter: Option<&Cookie>,
    now: Millis,
) -> Result<Invitation, StoreError> {
    let invitation = Invitation(random_text(LENGTH)?);
    let mut item = key_item(&keys::invitation(&sha256(&invitation.0)));
    item.extend(access.attributes());
    item.extend(inviter.map(|inviter| (INVITED_BY.to_owned(), text(inviter.sha256()))));
    item.insert(EXPIRES.to_owned(), number((now.0 + INVITATION_MS) / 1000));
    store.put(item).await?;
    Ok(invitation)
}

/// Accepts an invitation, of which nothing is left; none if it is wrong, used or too old.
pub async fn accept(
    store: &Store,
    invitation: &Invitation,
    now: Millis,
) -> Result<Option<(Cookie, Person)>, StoreError> {
    let key = keys::invitation(&sha256(&invitation.0));
    for _ in 0..MAX_TRIES {
        let Some(item) = store.get(&key, Consistency::Strong).await? else { return Ok(None) };
        if has_expired(&item, now)? || !inviter_has_access(store, &item, now).await? {
            return Ok(None);
        }
        let (cookie, access) = (Cookie::generate()?, Access::read(&item)?);
        let hash = cookie.sha256();
        let writes = vec![
            Write::Take(key.clone()),
            Write::PutAt(authorization(&hash, &access, now), None),
            Write::PutAt(entry(&hash, now), None),
        ];
        // Who met another is let in only if the invitation is still there.
        if store.transact(writes).await? == Outcome::Committed {
            return Ok(Some((cookie, Person { id: PersonId::of(&hash), access })));
        }
    }
    Err(StoreError::Unavailable("an invitation is being accepted".to_owned()))
}

/// Whether whoever made an invitation has access still: the command line, or a person.
async fn inviter_has_access(store: &Store, invitation: &Item, now: Millis) -> Result<bool, StoreError> {
    let Ok(inviter) = read_text(invitation, INVITED_BY) else { return Ok(!invitation.contains_key(INVITED_BY)) };
    match store.get(&keys::api_key(inviter), Consistency::Strong).await? {
        Some(item) => Ok(!has_expired(&item, now)?),
        None => Ok(false),
    }
}

/// Those of who is signed in that may see no more than somebody does, the latest first. Whose access can't be read is left out.
pub async fn within(store: &Store, person: &Person, now: Millis) -> Result<Vec<KnownPerson>, StoreError> {
    let listed = list(store, now).await?;
    let mut known: Vec<KnownPerson> = listed.into_iter().filter_map(Listed::known).collect();
    known.retain(|known| person.access.projects.include_all(&known.person.access.projects));
    known.sort_by(|a, b| {
        b.last_seen_at.cmp(&a.last_seen_at).then_with(|| a.person.id.as_str().cmp(b.person.id.as_str()))
    });
    Ok(known)
}

/// Shuts somebody out, at once; says whether there is somebody with this identifier whom whoever asks may shut out. An admin of all
/// projects may do so with those, too, whose access can't be read.
pub async fn remove(store: &Store, by: &Person, id: &str, now: Millis) -> Result<bool, StoreError> {
    let listed = list(store, now).await?;
    let Some(found) = listed.into_iter().find(|listed| PersonId::of(&listed.sha256).as_str() == id) else {
        return Ok(false);
    };
    let may_remove = match &found.state {
        State::Known { access, .. } => by.access.projects.include_all(&access.projects),
        State::Unreadable => by.access.projects == Projects::All,
        State::Over => false,
    };
    if may_remove {
        remove_cookie(store, &found.sha256).await?;
    }
    Ok(may_remove)
}

/// Signs out whoever holds a cookie.
pub async fn sign_out(store: &Store, cookie: &Cookie) -> Result<(), StoreError> {
    remove_cookie(store, &cookie.sha256()).await
}

async fn remove_cookie(store: &Store, sha256: &str) -> Result<(), StoreError> {
    // The cookie first: from then on it is worth nothing, and what is left of an entry goes with the next invitation.
    store.delete(&keys::api_key(sha256)).await?;
    store.delete(&keys::person(sha256)).await
}

/// Removes the entries of those whose access has ended by itself.
pub async fn forget_gone(store: &Store, now: Millis) -> Result<(), StoreError> {
    for listed in list(store, now).await? {
        let is_whole = listed.signed_in_at.is_none_or(|at| at.0 < now.0 - STORED_APART_MS);
        if matches!(listed.state, State::Over) && is_whole {
            remove_cookie(store, &listed.sha256).await?;
        }
    }
    Ok(())
}

/// An entry of the list of who is signed in.
struct Listed {
    sha256: String,
    signed_in_at: Option<Millis>,
    state: State,
}

/// What became of somebody's access.
enum State {
    Known {
        access: Access,
        last_seen_at: Option<Millis>,
    },
    /// It has ended, and its item may be gone.
    Over,
    /// It can't be read, such as a role that a newer version wrote.
    Unreadable,
}

impl Listed {
    fn known(self) -> Option<KnownPerson> {
        let State::Known { access, last_seen_at } = self.state else { return None };
        let person = Person { id: PersonId::of(&self.sha256), access };
        Some(KnownPerson { person, signed_in_at: self.signed_in_at, last_seen_at })
    }
}

impl State {
    fn of(item: Option<&Item>, now: Millis) -> Self {
        let read = |item: &Item| {
            Ok::<_, StoreError>(match has_expired(item, now)? {
                true => State::Over,
                false => State::Known {
                    access: Access::read(item)?,
                    last_seen_at: read_number(item, USED_AT).ok().map(Millis),
                },
            })
        };
        let Some(item) = item else { return State::Over };
        read(item).unwrap_or_else(|error| {
            tracing::error!(%error, "a person's access can't be read");
            State::Unreadable
        })
    }
}

async fn list(store: &Store, now: Millis) -> Result<Vec<Listed>, StoreError> {
    let entries = store.query(Query::partition(keys::PEOPLE).strong()).await?;
    let read = |entry: &Item| Ok((read_text(entry, SK)?.to_owned(), read_number(entry, CREATED_AT).ok().map(Millis)));
    let entries = readable("an entry of a person", entries.iter().map(read));
    let authorizations = entries.iter().map(|(sha256, _)| keys::api_key(sha256)).collect();
    let found = store.get_many(authorizations, Consistency::Strong).await?;
    let listed = entries.into_iter().map(|(sha256, signed_in_at)| {
        let state = State::of(found.get(&keys::api_key(&sha256)), now);
        Listed { sha256, signed_in_at, state }
    });
    Ok(listed.collect())
}

/// Whether an item is over, which DynamoDB removes some days later.
fn has_expired(item: &Item, now: Millis) -> Result<bool, StoreError> {
    Ok(read_number::<i64>(item, EXPIRES)? <= now.0 / 1000)
}

/// The item that a person's requests are authenticated by.
fn authorization(sha256: &str, access: &Access, now: Millis) -> Item {
    let mut item = key_item(&keys::api_key(sha256));
    item.extend(access.attributes());
    item.insert(KIND.to_owned(), text(CredentialKind::Cookie.name()));
    item.insert(LIMIT.to_owned(), number(PERSON_LIMIT));
    item.insert(USED_AT.to_owned(), number(now.0));
    item.insert(EXPIRES.to_owned(), number(expires_at(now)));
    item
}

/// The entry in the list of who is signed in. It says whose cookie there is and since when; the rest is in that one's item.
fn entry(sha256: &str, now: Millis) -> Item {
    let mut item = key_item(&keys::person(sha256));
    item.insert(CREATED_AT.to_owned(), number(now.0));
    item
}
