//! Authentication and the rate limit, in one conditional update.

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use figures::backoff::Backoff;
use figures::table::keys;
use figures::table::store::{Consistency, EXPIRES, Item, PK, Store, StoreError, failure, key_item, number};
use figures::time::Millis;

use super::cookie::{PERSON_LIMIT, expires_at};
use super::credential::{Credential, CredentialKind};
use super::holder::{ARRIVAL, Holder, KIND, LIMIT, USED_AT};
use super::memory::{Hint, KeyMemory, Remembered};
use crate::error::ApiError;
use crate::rate_limit::{Bucket, DEFAULT_LIMIT, Micros, Standing};

/// Tries to take a token before other writers are held to have won them all.
const MAX_TAKES: u32 = 12;
/// How long a transaction may hold the item: of whoever revokes or rotates the key.
const CONTENTION: Backoff = Backoff { first: Duration::from_millis(20), longest: Duration::from_millis(200) };

/// Which of the conditional writes is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    Full,
    InUse,
    /// The stored instant is this one, further ahead than an empty bucket's: the bucket is set to empty, and no token
    /// is taken.
    Ahead(Micros),
}

/// What is known of a credential.
///
/// One that this instance has not seen is looked up before anything is written: made-up keys cost a read each, and for
/// a minute nothing. The read is a consistent one, so that a new key works at once, and it finds the bucket as it is, so
/// that the write which takes the token is the right one.
pub async fn look_up(
    store: &Store,
    memory: &KeyMemory,
    credential: &Credential,
    now: Micros,
) -> Result<Hint, ApiError> {
    let hash = &credential.sha256;
    if let Some(hint) = memory.hint(hash, now) {
        return Ok(hint);
    }
    let unknown = || ApiError::Unauthorized(credential.kind.refusal());
    if memory.is_unknown(hash, now) {
        return Err(unknown());
    }
    let Some(item) = store.get(&keys::api_key(hash), Consistency::Strong).await? else {
        memory.remember_unknown(hash, now);
        return Err(unknown());
    };
    let known = Remembered::of(&item, credential)?;
    if known.has_expired(now) {
        memory.remember_unknown(hash, now);
        return Err(unknown());
    }
    let holder = known.holder.clone();
    memory.remember(hash, known);
    Ok(memory.hint(hash, now).unwrap_or(Hint::Likely(holder)))
}

/// Authenticates a credential and takes a token from its bucket, in one write where the guess is right. A person's access
/// is prolonged by it.
pub async fn take_token(
    store: &Store,
    memory: &KeyMemory,
    credential: &Credential,
    now: Micros,
) -> Result<(Holder, Standing), ApiError> {
    let hash = &credential.sha256;
    let (mut bucket, mut guess) = match memory.known(hash) {
        Some(known) if known.arrival >= now => (known.bucket, Guess::InUse),
        Some(known) => (known.bucket, Guess::Full),
        None => (Bucket::new(usual_limit(credential.kind)), Guess::Full),
    };
    for tried in 1..=MAX_TAKES {
        let (item, taken) = match update(store, credential, bucket, guess, now).await? {
            Update::Taken(item) => (Some(item), true),
            Update::Refused(item) => (item, false),
            Update::Contended => {
                CONTENTION.wait(tried).await;
                continue;
            }
        };
        let known = item.map(|item| Remembered::of(&item, credential)).transpose()?;
        let Some(known) = known.filter(|known| taken || !known.has_expired(now)) else {
            memory.remember_unknown(hash, now);
            return Err(ApiError::Unauthorized(credential.kind.refusal()));
        };
        // A limit other than the guessed one took a token of the wrong size only if the write passed;
        // the condition on the limit keeps it from passing.
        let (holder, stored, arrival) = (known.holder.clone(), known.bucket, known.arrival);
        memory.remember(hash, known);
        let standing = stored.standing(arrival, now);
        match (taken, guess) {
            (true, Guess::Ahead(_)) => return Err(ApiError::RateLimited(standing)),
            (true, _) => return Ok((holder, standing)),
            (false, _) => {}
        }
        if arrival > stored.emptied(now) {
            // The clock was ahead when it was written: empty is the most that a bucket can be.
            guess = Guess::Ahead(arrival);
            bucket = stored;
            continue;
        }
        if arrival > stored.ceiling(now) {
            return Err(ApiError::RateLimited(standing));
        }
        bucket = stored;
        guess = if arrival >= now { Guess::InUse } else { Guess::Full };
    }
    Err(ApiError::Unavailable)
}

fn usual_limit(kind: CredentialKind) -> u32 {
    match kind {
        CredentialKind::SecretKey => DEFAULT_LIMIT,
        CredentialKind::Cookie => PERSON_LIMIT,
    }
}

enum Update {
    Taken(Item),
    Refused(Option<Item>),
    /// A transaction was about to change the item.
    Contended,
}

async fn update(
    store: &Store,
    credential: &Credential,
    bucket: Bucket,
    guess: Guess,
    now: Micros,
) -> Result<Update, StoreError> {
    let request = store
        .client()
        .update_item()
        .table_name(store.table())
        .set_key(Some(key_item(&keys::api_key(&credential.sha256))))
        .expression_attribute_names("#pk", PK)
        .expression_attribute_names("#kind", KIND)
        .expression_attribute_values(":kind", AttributeValue::S(credential.kind.name().to_owned()))
        .expression_attribute_names("#limit", LIMIT)
        .expression_attribute_values(":limit", number(bucket.limit()))
        .expression_attribute_names("#tat", ARRIVAL)
        .expression_attribute_values(":now", number(now))
        .expression_attribute_names("#used", USED_AT)
        .expression_attribute_values(":used", number(now / 1000))
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let (request, set, condition) = match guess {
        Guess::Full => (
            request.expression_attribute_values(":arrival", number(now + bucket.token())),
            "#tat = :arrival",
            "(attribute_not_exists(#tat) OR #tat < :now)",
        ),
        Guess::Ahead(arrival) => (
            request
                .expression_attribute_values(":emptied", number(bucket.emptied(now)))
                .expression_attribute_values(":ahead", number(arrival)),
            "#tat = :emptied",
            "#tat = :ahead AND #tat > :now",
        ),
        Guess::InUse => (
            request
                .expression_attribute_values(":token", number(bucket.token()))
                .expression_attribute_values(":ceiling", number(bucket.ceiling(now))),
            "#tat = #tat + :token",
            "#tat BETWEEN :now AND :ceiling",
        ),
    };
    let (request, prolonged, unexpired) = prolonging(request, credential.kind, now);
    let request = request.update_expression(format!("SET {set}, #used = :used{prolonged}")).condition_expression(
        format!("attribute_exists(#pk) AND #kind = :kind AND #limit = :limit AND {condition}{unexpired}"),
    );
    let call = store.begin();
    match request.send().await {
        Ok(response) => {
            store.count_write(call);
            Ok(Update::Taken(response.attributes.unwrap_or_default()))
        }
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
            store.count_write(call);
            match error.into_service_error() {
                UpdateItemError::ConditionalCheckFailedException(failed) => Ok(Update::Refused(failed.item)),
                other => Err(StoreError::Failed(other.to_string())),
            }
        }
        Err(error) if error.code() == Some("TransactionConflictException") => {
            store.count_write(call);
            Ok(Update::Contended)
        }
        Err(error) => Err(failure(error)),
    }
}

/// What is added to the update and to its condition where access ends unless it is used.
fn prolonging(
    request: UpdateItemFluentBuilder,
    kind: CredentialKind,
    now: Micros,
) -> (UpdateItemFluentBuilder, &'static str, &'static str) {
    match kind {
        CredentialKind::SecretKey => (request, "", ""),
        CredentialKind::Cookie => (
            request
                .expression_attribute_names("#expires", EXPIRES)
                .expression_attribute_values(":seconds", number(now / 1_000_000))
                .expression_attribute_values(":expires", number(expires_at(Millis(now / 1000)))),
            ", #expires = :expires",
            " AND #expires > :seconds",
        ),
    }
}
