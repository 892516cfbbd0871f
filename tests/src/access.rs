//! What requests to DynamoDB touch, in the terms that IAM grants it in.

use std::collections::{BTreeMap, BTreeSet};

use figures::table::store::PK;
use serde_json::Value;

/// An action, and the partition keys that one request names with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// As IAM names it.
    pub action: String,
    /// As IAM's `dynamodb:LeadingKeys` has them; none for a request that names no key.
    pub keys: BTreeSet<String>,
}

/// What a request of an operation touches.
pub fn of(operation: &str, request: &Value) -> Vec<Access> {
    let access = |action: &str, keys| Access { action: format!("dynamodb:{action}"), keys };
    match operation {
        // A transaction needs the rights of what it consists of.
        "TransactWriteItems" => {
            let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for item in request["TransactItems"].as_array().into_iter().flatten() {
                for (part, content) in item.as_object().into_iter().flatten() {
                    let action =
                        if part == "ConditionCheck" { "ConditionCheckItem".to_owned() } else { format!("{part}Item") };
                    keys.entry(action).or_default().extend(item_key(content));
                }
            }
            keys.into_iter().map(|(action, keys)| access(&action, keys)).collect()
        }
        "BatchGetItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            let keys = tables.flat_map(|(_, table)| table["Keys"].as_array().into_iter().flatten());
            vec![access(operation, keys.filter_map(partition_key).collect())]
        }
        "Query" => {
            let partition = &request["ExpressionAttributeValues"][":pk"]["S"];
            vec![access(operation, partition.as_str().map(str::to_owned).into_iter().collect())]
        }
        _ => vec![access(operation, item_key(request).into_iter().collect())],
    }
}

/// The partition key that a request for one item names.
fn item_key(request: &Value) -> Option<String> {
    partition_key(&request["Key"]).or_else(|| partition_key(&request["Item"]))
}

fn partition_key(item: &Value) -> Option<String> {
    item[PK]["S"].as_str().map(str::to_owned)
}
