//! What the template grants a function's role of DynamoDB, held against what the function does.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::access::Access;

/// Rights that the platform uses on the function's behalf: it reads the stream and delivers it.
const OF_THE_PLATFORM: [&str; 4] =
    ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];

/// A role's rights to DynamoDB.
#[derive(Debug)]
pub struct Role(Vec<Statement>);

#[derive(Debug)]
struct Statement {
    actions: BTreeSet<String>,
    /// Patterns of partition keys; any key where there are none.
    keys: Vec<String>,
}

impl Role {
    /// The role of the function with a binary's name in a template, which is JSON already.
    ///
    /// # Panics
    /// If the template has no such function, or no role of its own for it.
    pub fn of(function: &str, template: &Value) -> Self {
        let resources = template["Resources"].as_object().unwrap();
        let is_it = |resource: &&Value| {
            resource["Type"] == "AWS::Serverless::Function"
                && resource["Metadata"]["BuildProperties"]["Binary"] == function
        };
        let found = resources.values().find(is_it).unwrap_or_else(|| panic!("the template has no {function}"));
        let role = found["Properties"]["Role"]["Fn::GetAtt"][0].as_str();
        let role = role.unwrap_or_else(|| panic!("{function} has no role of its own: {found}"));
        let policies = list(&resources[role]["Properties"]["Policies"]);
        let statements = policies.into_iter().flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]));
        Role(statements.filter_map(Statement::of).collect())
    }

    /// What was done without being granted, and what was granted without being done.
    pub fn differences(&self, done: &BTreeSet<Access>) -> Vec<String> {
        let forbidden = done.iter().filter(|access| !self.0.iter().any(|statement| statement.allows(access)));
        let forbidden = forbidden.map(|access| format!("{access:?} is not granted"));
        let idle = self.0.iter().flat_map(|statement| statement.idle(done));
        forbidden.chain(idle).collect()
    }
}

impl Statement {
    /// What a statement grants of DynamoDB, if anything.
    ///
    /// # Panics
    /// If its condition is one that this does not understand.
    fn of(statement: &Value) -> Option<Self> {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        let actions = list(&statement["Action"]).into_iter().map(|action| action.as_str().unwrap().to_owned());
        let actions: BTreeSet<String> = actions.filter(|action| action.starts_with("dynamodb:")).collect();
        let conditions = statement["Condition"].as_object();
        let known = |(operator, condition): (&String, &Value)| {
            let condition = condition.as_object().unwrap();
            assert!(condition.keys().all(|key| key == "dynamodb:LeadingKeys"), "{statement}");
            let leading = &condition["dynamodb:LeadingKeys"];
            match operator.as_str() {
                "ForAllValues:StringLike" => {
                    list(leading).into_iter().map(|key| key.as_str().unwrap().to_owned()).collect()
                }
                // That there is a key at all; whatever a function does names one.
                "Null" => {
                    assert_eq!(leading, "false", "{statement}");
                    Vec::new()
                }
                operator => panic!("{operator} in {statement}"),
            }
        };
        let keys: Vec<Vec<String>> = conditions.into_iter().flatten().map(known).collect();
        (!actions.is_empty()).then(|| Statement { actions, keys: keys.concat() })
    }

    fn allows(&self, access: &Access) -> bool {
        let matches = |key: &String| self.keys.iter().any(|pattern| is_like(pattern, key));
        self.actions.contains(&access.action) && (self.keys.is_empty() || access.keys.iter().all(matches))
    }

    /// The actions and the keys of the statement that nothing of what was done needs.
    fn idle(&self, done: &BTreeSet<Access>) -> Vec<String> {
        let used: Vec<&Access> = done.iter().filter(|access| self.allows(access)).collect();
        let actions = self.actions.iter().filter(|action| !OF_THE_PLATFORM.contains(&action.as_str()));
        let actions = actions.filter(|action| !used.iter().any(|access| access.action == **action));
        let keys = self
            .keys
            .iter()
            .filter(|pattern| !used.iter().any(|access| access.keys.iter().any(|key| is_like(pattern, key))));
        let is_never = |granted: &String| format!("{granted} is granted, with {:?}, and never needed", self.actions);
        actions.chain(keys).map(is_never).collect()
    }
}

/// A value as a list: templates write one of one item without brackets.
fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

/// Whether a text matches a pattern, in which a star stands for any characters.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| is_like(after, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn role() -> Role {
        let condition = |key: &str| {
            json!({
                "Null": { "dynamodb:LeadingKeys": "false" },
                "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [key] },
            })
        };
        let template = json!({ "Resources": {
            "A": {
                "Type": "AWS::Serverless::Function",
                "Metadata": { "BuildProperties": { "Binary": "a" } },
                "Properties": { "Role": { "Fn::GetAtt": ["ARole", "Arn"] } },
            },
            "ARole": { "Properties": { "Policies": [{ "PolicyDocument": { "Statement": [
                { "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Condition": condition("P#*#V#*") },
                { "Effect": "Allow", "Action": "dynamodb:UpdateItem", "Condition": condition("KEY#*") },
                { "Effect": "Allow", "Action": "logs:PutLogEvents" },
            ] } }] } },
        } });
        Role::of("a", &template)
    }

    fn done(accesses: &[(&str, &str)]) -> BTreeSet<Access> {
        let access = |(action, key): &(&str, &str)| Access {
            action: format!("dynamodb:{action}"),
            keys: BTreeSet::from([(*key).to_owned()]),
        };
        accesses.iter().map(access).collect()
    }

    #[test]
    fn a_role_grants_what_is_done_and_no_more() {
        let enough = [("GetItem", "P#demo#V#v_1"), ("Query", "P#demo#V#"), ("UpdateItem", "KEY#1")];
        assert_eq!(role().differences(&done(&enough)), [""; 0]);
        assert_eq!(role().differences(&done(&enough[..2])).len(), 2, "an action and a key are idle");
        for more in [("GetItem", "KEY#1"), ("PutItem", "P#demo#V#v_1"), ("Query", "P#demo")] {
            let differences = role().differences(&done(&[&enough[..], &[more]].concat()));
            assert_eq!(differences.len(), 1, "{differences:?}");
        }
    }
}
