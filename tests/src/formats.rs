//! Every kind of item that the table holds, and samples of each in every format that is read: `tests/formats` holds them,
//! a file for each kind and format. `tests/examples/samples.rs` makes those of what `rollup` stores, and an
//! ignored test of `tests/formats.rs` the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use aws_lambda_events::encodings::{Base64Data, Body};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use figures::table::codec::Format;
use figures::table::keys::Key;
use figures::table::store::{Item, Store, item_key};
use serde_json::{Map, Value, json};

/// A kind of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An API key, or a person's cookie, with its token bucket.
    ApiKey,
    /// Who is signed in.
    Person,
    /// What somebody is let in with.
    Invitation,
    /// A project.
    Project,
    /// An API key in its project's list.
    ListedKey,
    /// The key that encrypts a day's addresses.
    IpKey,
    /// The secret that a day's visitors without a name are told apart with.
    DaySecret,
    /// What a day's batches took of the table.
    Spending,
    /// Whose a session without a visitor's name is.
    UnnamedSession,
    /// A batch.
    Batch,
    /// A visitor with its latest session.
    Visitor,
    /// An earlier session.
    Session,
    /// A part of a session's applied batches.
    Applied,
    /// A shard of what a visitor was seen at, as it was stored before there were runs.
    Seen,
    /// A part of a run of what a visitor was seen at.
    SeenRun,
    /// That a visitor is trusted.
    Trusted,
    /// The tombstone of an erased visitor.
    Tombstone,
    /// Where a session is.
    Lookup,
    /// A segment.
    Segment,
    /// The manifest of compaction.
    Manifest,
    /// Work that is left for later.
    Work,
    /// A block, or the head of one.
    Block,
    /// A part of a block.
    BlockPart,
    /// A layer of a block.
    BlockLayer,
    /// A run.
    Run,
    /// When the consumer last worked.
    Heartbeat,
    /// How far the local stack applied the stream.
    Checkpoint,
    /// What demo data the local stack made.
    Demo,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 28] = [
        Kind::ApiKey,
        Kind::Person,
        Kind::Invitation,
        Kind::Project,
        Kind::ListedKey,
        Kind::IpKey,
        Kind::DaySecret,
        Kind::Spending,
        Kind::UnnamedSession,
        Kind::Batch,
        Kind::Visitor,
        Kind::Session,
        Kind::Applied,
        Kind::Seen,
        Kind::SeenRun,
        Kind::Trusted,
        Kind::Tombstone,
        Kind::Lookup,
        Kind::Segment,
        Kind::Manifest,
        Kind::Work,
        Kind::Block,
        Kind::BlockPart,
        Kind::BlockLayer,
        Kind::Run,
        Kind::Heartbeat,
        Kind::Checkpoint,
        Kind::Demo,
    ];

    /// The kind of the item under a key; none that is known.
    pub fn of(key: &Key) -> Option<Self> {
        let partition: Vec<&str> = key.pk.split('#').collect();
        let sort = key.sk.split('#').next().unwrap_or_default();
        Some(match (&partition[..], sort) {
            (["KEY", _], "KEY") => Kind::ApiKey,
            (["PEOPLE"], _) => Kind::Person,
            (["INVITATION", _], "INVITATION") => Kind::Invitation,
            (["PROJECTS"], _) => Kind::Project,
            (["P", _, "KEYS"], _) => Kind::ListedKey,
            (["P", _, "IP"], _) => Kind::IpKey,
            (["P", _, "SECRET"], _) => Kind::DaySecret,
            (["P", _, "SPENT"], _) => Kind::Spending,
            (["P", _, "U", _], "VISITOR") => Kind::UnnamedSession,
            (["P", _, "V", _], "B") => Kind::Batch,
            (["P", _, "V", _], "VISITOR") => Kind::Visitor,
            (["P", _, "V", _], "S") => Kind::Session,
            (["P", _, "V", _], "A") => Kind::Applied,
            (["P", _, "V", _], "K") if key.sk.matches('#').count() == 1 => Kind::Seen,
            (["P", _, "V", _], "K") => Kind::SeenRun,
            (["P", _, "TRUSTED"], _) => Kind::Trusted,
            (["P", _, "ERASED"], _) => Kind::Tombstone,
            (["P", _, "SID", _], _) => Kind::Lookup,
            (["P", _, "TAIL"], "S") => Kind::Segment,
            (["P", _, "TAIL"], "MANIFEST") => Kind::Manifest,
            (["P", _, "WORK"], "W") => Kind::Work,
            (["P", _, "R", _], day) if day.contains('+') => Kind::BlockLayer,
            (["P", _, "R", _], day) if day == key.sk => Kind::Block,
            (["P", _, "R", _], _) => Kind::BlockPart,
            (["P", _, "X", "sessions" | "events", _], _) => Kind::Run,
            (["CONSUMER"], "HEARTBEAT") => Kind::Heartbeat,
            (["DEV"], "CHECKPOINT") => Kind::Checkpoint,
            (["DEV"], "DEMO") => Kind::Demo,
            _ => return None,
        })
    }

    /// The folder with its samples.
    pub fn folder(self) -> &'static str {
        match self {
            Kind::ApiKey => "api-key",
            Kind::Person => "person",
            Kind::Invitation => "invitation",
            Kind::Project => "project",
            Kind::ListedKey => "listed-key",
            Kind::IpKey => "ip-key",
            Kind::DaySecret => "day-secret",
            Kind::Spending => "spending",
            Kind::UnnamedSession => "unnamed-session",
            Kind::Batch => "batch",
            Kind::Visitor => "visitor",
            Kind::Session => "session",
            Kind::Applied => "applied",
            Kind::Seen => "seen",
            Kind::SeenRun => "seen-run",
            Kind::Trusted => "trusted",
            Kind::Tombstone => "tombstone",
            Kind::Lookup => "lookup",
            Kind::Segment => "segment",
            Kind::Manifest => "manifest",
            Kind::Work => "work",
            Kind::Block => "block",
            Kind::BlockPart => "block-part",
            Kind::BlockLayer => "block-layer",
            Kind::Run => "run",
            Kind::Heartbeat => "heartbeat",
            Kind::Checkpoint => "checkpoint",
            Kind::Demo => "demo",
        }
    }

    /// Whether its items are attributes alone, which are added and never change their meaning: there is one format.
    pub fn is_of_attributes(self) -> bool {
        self.formats() == [1]
    }

    /// The formats of it that are read.
    pub fn formats(self) -> Vec<u8> {
        match self {
            Kind::Visitor
            | Kind::Session
            | Kind::Applied
            | Kind::Seen
            | Kind::Lookup
            | Kind::Segment
            | Kind::Manifest
            | Kind::Block
            | Kind::BlockPart
            | Kind::Run => Format::ALL.map(|format| format as u8).to_vec(),
            Kind::SeenRun | Kind::BlockLayer => vec![Format::V3 as u8],
            Kind::Batch => vec![1, 2, 3],
            Kind::ApiKey
            | Kind::Person
            | Kind::Invitation
            | Kind::Project
            | Kind::ListedKey
            | Kind::IpKey
            | Kind::DaySecret
            | Kind::Spending
            | Kind::UnnamedSession
            | Kind::Trusted
            | Kind::Tombstone
            | Kind::Work
            | Kind::Heartbeat
            | Kind::Checkpoint
            | Kind::Demo => vec![1],
        }
    }

    /// Its samples in a format; none if there is no file of them.
    pub fn samples(self, format: u8) -> Vec<Item> {
        let text = fs::read_to_string(self.file(format)).unwrap_or_else(|_| "[]".to_owned());
        serde_json::from_str::<Vec<Map<String, Value>>>(&text).unwrap().iter().map(from_json).collect()
    }

    /// Writes samples of it.
    pub fn write_samples(self, format: u8, items: &[Item]) {
        let lines: Vec<String> = items.iter().map(|item| to_json(item).to_string()).collect();
        fs::create_dir_all(self.file(format).parent().unwrap()).unwrap();
        fs::write(self.file(format), format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    }

    fn file(self, format: u8) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("formats").join(self.folder()).join(format!("{format}.json"))
    }
}

/// All items of a table, in the order of their keys.
pub async fn all_items(store: &Store) -> Vec<Item> {
    let (mut items, mut from) = (BTreeMap::new(), None);
    loop {
        let page = store.client().scan().table_name(store.table()).set_exclusive_start_key(from).send().await.unwrap();
        items.extend(page.items.unwrap_or_default().into_iter().map(|item| (item_key(&item).unwrap(), item)));
        from = page.last_evaluated_key;
        if from.is_none() {
            return items.into_values().collect();
        }
    }
}

fn to_json(item: &Item) -> Value {
    let sorted: BTreeMap<_, _> = item.iter().collect();
    Value::Object(sorted.into_iter().map(|(name, value)| (name.clone(), attribute_to_json(value))).collect())
}

fn attribute_to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(bool) => json!({ "BOOL": bool }),
        AttributeValue::B(bytes) => json!({ "B": Body::Binary(bytes.clone().into_inner()) }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(attribute_to_json).collect::<Vec<_>>() }),
        AttributeValue::M(map) => json!({ "M": to_json(map) }),
        other => panic!("{other:?}"),
    }
}

fn from_json(item: &Map<String, Value>) -> Item {
    item.iter().map(|(name, value)| (name.clone(), attribute_from_json(value))).collect()
}

fn attribute_from_json(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().and_then(|attribute| attribute.iter().next()).unwrap();
    match kind.as_str() {
        "S" => AttributeValue::S(value.as_str().unwrap().to_owned()),
        "N" => AttributeValue::N(value.as_str().unwrap().to_owned()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "B" => AttributeValue::B(Blob::new(serde_json::from_value::<Base64Data>(value.clone()).unwrap().0)),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute_from_json).collect()),
        "M" => AttributeValue::M(from_json(value.as_object().unwrap())),
        other => panic!("{other}"),
    }
}
