//! What calls to the table cost, by kind of item: what the engine reports of each call, put down to the items that it names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::probe::watched;

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use figures::table::store::Store;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is removed, of whatever kind.
pub const REMOVALS: &str = "removals";

/// Bytes of a write unit, and of a read unit.
const WRITE_BYTES: usize = 1_024;
const READ_BYTES: usize = 4_096;

/// Units by kind of item.
pub type ByKind = BTreeMap<&'static str, f64>;

/// What was consumed, by kind of item.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Units {
    /// Write units.
    pub written: ByKind,
    /// Read units.
    pub read: ByKind,
}

impl Units {
    /// Adds so many times what others are.
    pub fn add(&mut self, others: &Units, times: f64) {
        for (sums, more) in [(&mut self.written, &others.written), (&mut self.read, &others.read)] {
            for (kind, units) in more {
                *sums.entry(kind).or_default() += units * times;
            }
        }
    }
}

/// The units of the calls that a client makes.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Units>>);

impl Ledger {
    /// A handle on the same table whose calls go into this ledger.
    pub fn watch(&self, store: &Store) -> Store {
        watched(store, self.clone())
    }

    /// What was consumed since it was last asked.
    pub fn take(&self) -> Units {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, parts: &[(&'static str, f64)], reported: Option<f64>, is_written: bool) {
        let estimated: f64 = parts.iter().map(|(_, units)| units).sum();
        let scale = reported.map_or(1.0, |reported| reported / estimated.max(f64::MIN_POSITIVE));
        let mut units = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = if is_written { &mut units.written } else { &mut units.read };
        for (kind, units) in parts {
            *sums.entry(kind).or_default() += units * scale;
        }
    }
}

/// What a call asks for, until it is answered.
#[derive(Debug)]
struct Asked(Value);

impl Storable for Asked {
    type Storer = StoreReplace<Self>;
}

/// What an answer says of its cost, and which items it holds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    consumed_capacity: Option<Value>,
    responses: Option<BTreeMap<String, Vec<Value>>>,
}

impl Answer {
    fn units(&self) -> Option<f64> {
        let units = |capacity: &Value| capacity["CapacityUnits"].as_f64();
        match self.consumed_capacity.as_ref()? {
            Value::Array(tables) => Some(tables.iter().filter_map(units).sum()),
            table => units(table),
        }
    }
}

impl Intercept for Ledger {
    fn name(&self) -> &'static str {
        "Ledger"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(body) = context.request().body().bytes() {
            config.interceptor_state().store_put(Asked(serde_json::from_slice(body)?));
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(Asked(request)), Some(answer)) = (config.load::<Asked>(), context.response().body().bytes()) else {
            return Ok(());
        };
        let answer: Answer = serde_json::from_slice(answer)?;
        let reported = answer.units();
        if let Some(parts) = written(request) {
            self.add(&parts, reported, true);
        } else {
            self.add(&read(request, &answer), reported, false);
        }
        Ok(())
    }
}

/// What a request writes, with the units that follow from sizes; `None` if it writes nothing.
fn written(request: &Value) -> Option<Vec<(&'static str, f64)>> {
    if request["Item"].is_object() {
        return Some(vec![put(&request["Item"], 1.0)]);
    }
    if let Some(writes) = request["TransactItems"].as_array() {
        let part = |write: &Value| match () {
            () if write["Put"].is_object() => put(&write["Put"]["Item"], 2.0),
            () if write["Delete"].is_object() => (REMOVALS, 2.0),
            () => (kind_of(&write["ConditionCheck"]["Key"]), 2.0),
        };
        return Some(writes.iter().map(part).collect());
    }
    // An update has an expression, a read asks for a consistency, and a removal does neither.
    if request["UpdateExpression"].is_string() {
        return Some(vec![(kind_of(&request["Key"]), 1.0)]);
    }
    (request["Key"].is_object() && request["ConsistentRead"].is_null()).then(|| vec![(REMOVALS, 1.0)])
}

fn put(item: &Value, factor: f64) -> (&'static str, f64) {
    (kind_of(item), size(item).div_ceil(WRITE_BYTES) as f64 * factor)
}

/// What a request reads, with the units that follow from sizes.
fn read(request: &Value, answer: &Answer) -> Vec<(&'static str, f64)> {
    if request["Key"].is_object() {
        return vec![(kind_of(&request["Key"]), 1.0)];
    }
    if let Some(partition) = request["ExpressionAttributeValues"][":pk"]["S"].as_str() {
        let sort_key = request["ExpressionAttributeValues"][":from"]["S"].as_str().unwrap_or_default();
        return vec![(kind(partition, sort_key), 1.0)];
    }
    let mut parts = Vec::new();
    for (table, asked) in request["RequestItems"].as_object().into_iter().flatten() {
        let factor = if asked["ConsistentRead"] == true { 1.0 } else { 0.5 };
        let found = answer.responses.as_ref().and_then(|tables| tables.get(table));
        let found: BTreeMap<_, _> = found
            .into_iter()
            .flatten()
            .map(|item| ((item["PK"]["S"].as_str(), item["SK"]["S"].as_str()), item))
            .collect();
        for key in asked["Keys"].as_array().into_iter().flatten() {
            let item = found.get(&(key["PK"]["S"].as_str(), key["SK"]["S"].as_str()));
            let units = item.map_or(1, |item| size(item).div_ceil(READ_BYTES));
            parts.push((kind_of(key), units as f64 * factor));
        }
    }
    parts
}

fn kind_of(key: &Value) -> &'static str {
    kind(key["PK"]["S"].as_str().unwrap_or_default(), key["SK"]["S"].as_str().unwrap_or_default())
}

/// What an item is, by the keys of docs/architecture.md.
pub fn kind(pk: &str, sk: &str) -> &'static str {
    match () {
        () if pk.contains("#SID#") => "session lookup",
        () if pk.contains("#R#") => "block",
        () if pk.contains("#X#") => "run",
        () if pk.ends_with("#TAIL") && sk == "MANIFEST" => "manifest",
        () if pk.ends_with("#TAIL") => "segment",
        () if pk.ends_with("#IP") => "key of addresses",
        () if pk.ends_with("#SPENT") => "spending",
        () if pk.ends_with("#ERASED") => "tombstone",
        () if pk == "CONSUMER" => "heartbeat",
        () if pk == "PROJECTS" => "project",
        () if pk.starts_with("KEY#") => "API key",
        () if sk.starts_with("B#") => "batch",
        () if sk.starts_with("S#") => "earlier session",
        () if sk.starts_with("K#") => "seen",
        () if sk == "VISITOR" => "visitor",
        () => "other",
    }
}

/// An item's size as DynamoDB counts it: names and values, a number at a byte for two digits and one more.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
pub fn size(item: &Value) -> usize {
    let value = |value: &Value| match (&value["S"], &value["N"], &value["B"]) {
        (Value::String(text), ..) => text.len(),
        (_, Value::String(digits), _) => digits.len().div_ceil(2) + 1,
        (_, _, Value::String(base64)) => base64.trim_end_matches('=').len() * 3 / 4,
        _ => 1,
    };
    item.as_object().into_iter().flatten().map(|(name, of)| name.len() + value(of)).sum()
}
