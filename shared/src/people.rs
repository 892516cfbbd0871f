//! People: invited by a link, signed in, listed, and shut out.

use std::fmt;

use figures::table::keys;
use figures::table::store::{
    Consistency, EXPIRES, Item, Outcome, Query, SK, Store, StoreError, Write, key_item, number, read_number, read_text,
    text,
};
use figures::time::Millis;
use serde::Serialize;

use crate::auth::secret::{LENGTH, is_random_text, random_text, sha256};
use crate::auth::{Access, Cookie, CredentialKind, KIND, LIMIT, PERSON_LIMIT, Person, PersonId, USED_AT, expires_at};

/// How long an invitation is good, in milliseconds.
pub const INVITATION_MS: i64 = 15 * 60_000;

/// The most projects that an invitation may name.
pub const MAX_PROJECTS: usize = 100;

const CREATED_AT: &str = "created_at";

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
    /// When they last asked for anything.
    pub last_seen_at: Option<Millis>,
    #[serde(skip)]
    sha256: String,
}

/// Invites somebody: good once, and for [`INVITATION_MS`].
pub async fn invite(store: &Store, access: &Access, now: Millis) -> Result<Invitation, StoreError> {
    let invitation = Invitation(random_text(LENGTH)?);
    let mut item = key_item(&keys::invitation(&sha256(&invitation.0)));
    item.extend(access.attributes());
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
        if has_expired(&item, now)? {
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

/// Those of who is signed in that may see no more than somebody does, the latest first.
pub async fn within(store: &Store, person: &Person, now: Millis) -> Result<Vec<KnownPerson>, StoreError> {
    let (mut known, _) = all(store, now).await?;
    known.retain(|known| person.access.projects.include_all(&known.person.access.projects));
    known.sort_by(|a, b| b.last_seen_at.cmp(&a.last_seen_at).then_with(|| a.sha256.cmp(&b.sha256)));
    Ok(known)
}

/// Shuts somebody out, at once.
pub async fn remove(store: &Store, person: &KnownPerson) -> Result<(), StoreError> {
    remove_cookie(store, &person.sha256).await
}

/// Signs out whoever holds a cookie.
pub async fn sign_out(store: &Store, cookie: &Cookie) -> Result<(), StoreError> {
    remove_cookie(store, &cookie.sha256()).await
}

async fn remove_cookie(store: &Store, sha256: &str) -> Result<(), StoreError> {
    // The entry last: while it is there, another try finds what is left.
    store.delete(&keys::api_key(sha256)).await?;
    store.delete(&keys::person(sha256)).await
}

/// Removes the entries of those whose access has ended by itself.
pub async fn forget_gone(store: &Store, now: Millis) -> Result<(), StoreError> {
    let (_, gone) = all(store, now).await?;
    for sha256 in gone {
        remove_cookie(store, &sha256).await?;
    }
    Ok(())
}

/// Who has access, and the cookies of those who have none any more.
async fn all(store: &Store, now: Millis) -> Result<(Vec<KnownPerson>, Vec<String>), StoreError> {
    let entries = store.query(Query::partition(keys::PEOPLE).strong()).await?;
    let hashes = entries.iter().map(|entry| read_text(entry, SK).map(str::to_owned)).collect::<Result<Vec<_>, _>>()?;
    let authorizations = hashes.iter().map(|hash| keys::api_key(hash)).collect();
    let found = store.get_many(authorizations, Consistency::Strong).await?;
    let (mut known, mut gone) = (Vec::new(), Vec::new());
    for sha256 in hashes {
        match found.get(&keys::api_key(&sha256)) {
            Some(item) if !has_expired(item, now)? => known.push(KnownPerson {
                person: Person { id: PersonId::of(&sha256), access: Access::read(item)? },
                last_seen_at: read_number(item, USED_AT).ok().map(Millis),
                sha256,
            }),
            _ => gone.push(sha256),
        }
    }
    Ok((known, gone))
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
