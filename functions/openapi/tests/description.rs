//! Holds the description against the route table, and its examples against its schemas.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use jsonschema::Validator;
use openapi::DESCRIPTION;
use serde_json::{Map, Value, json};
use shared::auth::ApiKey;
use shared::error::ApiError;
use shared::routes::{Answers, ROUTES};

/// Beside these keys, an OpenAPI 3.1 path has operations.
const NO_OPERATIONS: [&str; 4] = ["summary", "description", "servers", "parameters"];

fn description() -> Value {
    serde_json::from_str(DESCRIPTION).unwrap()
}

/// A validator of a schema that stands somewhere in the description.
fn validator(description: &Value, schema: &Value) -> Validator {
    let schema = json!({ "components": description["components"], "allOf": [schema] });
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
}

/// Every object of the description, with where it stands.
fn objects<'a>(pointer: &str, value: &'a Value, found: &mut Vec<(String, &'a Map<String, Value>)>) {
    match value {
        Value::Object(object) => {
            found.push((pointer.to_owned(), object));
            object.iter().for_each(|(name, value)| objects(&format!("{pointer}/{name}"), value, found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| objects(&format!("{pointer}/{at}"), item, found));
        }
        _ => {}
    }
}

fn all_objects(description: &Value) -> Vec<(String, &Map<String, Value>)> {
    let mut found = Vec::new();
    objects("#", description, &mut found);
    found
}

/// Each operation with its method and path.
fn operations(description: &Value) -> Vec<(String, &String, &Value)> {
    let paths = description["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, operations)| {
        let operations =
            operations.as_object().unwrap().iter().filter(|(key, _)| !NO_OPERATIONS.contains(&key.as_str()));
        operations.map(move |(method, operation)| (method.to_uppercase(), path, operation))
    });
    operations.collect()
}

/// The component that a reference names.
fn resolve<'a>(description: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref") {
        Some(reference) => description.pointer(reference.as_str().unwrap().strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

/// The statuses that a response of the components is given with.
fn statuses<'a>(description: &'a Value, name: &str) -> BTreeSet<&'a str> {
    let reference = json!({ "$ref": format!("#/components/responses/{name}") });
    let operations = operations(description).into_iter();
    let responses = operations.flat_map(|(_, _, operation)| operation["responses"].as_object().unwrap());
    responses.filter(|(_, response)| **response == reference).map(|(status, _)| status.as_str()).collect()
}

#[test]
fn exactly_the_routes_are_described() {
    let description = description();
    let described: BTreeSet<(String, &str)> =
        operations(&description).into_iter().map(|(method, path, _)| (method, path.as_str())).collect();
    // HEAD is described in words: it is GET without the body.
    let routed: BTreeSet<(String, &str)> = ROUTES
        .iter()
        .flat_map(|route| route.allowed().split(", ").map(|method| (method.to_owned(), route.path)))
        .filter(|(method, _)| method != "HEAD")
        .collect();
    assert_eq!(described, routed);
}

#[test]
fn who_reads_has_a_secret_key_and_who_manages_a_cookie() {
    let description = description();
    assert_eq!(description["security"], json!([{ "secret_key": [] }]));
    for (method, path, operation) in operations(&description) {
        let route = ROUTES.iter().find(|route| route.path == path).unwrap();
        let expected = match route.answers {
            Answers::Managed(_) if route.function != "sign-in" => Some(json!([{ "person": [] }])),
            _ if route.reads_a_project() => None,
            _ => Some(json!([])),
        };
        assert_eq!(operation.get("security"), expected.as_ref(), "{method} {path}");
    }
}

#[test]
fn the_version_is_the_programs() {
    let description = description();
    assert_eq!(description["openapi"], "3.1.0");
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_example_is_valid() {
    let description = description();
    let mut checked = 0;
    for (pointer, object) in all_objects(&description) {
        // What has a schema and examples: parameters, headers, and bodies of any content type.
        let Some(schema) = object.get("schema") else { continue };
        let named = object.get("examples").and_then(Value::as_object).into_iter().flat_map(Map::values);
        for example in named.map(|example| &example["value"]).chain(object.get("example")) {
            let (schema, example) = match schema.get("contentSchema") {
                Some(content) => (content, serde_json::from_str(example.as_str().unwrap()).unwrap()),
                None => (schema, example.clone()),
            };
            let problems: Vec<String> = validator(&description, schema)
                .iter_errors(&example)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(problems.is_empty(), "{pointer}: {problems:#?}");
            checked += 1;
        }
    }
    assert!(checked >= 60, "only {checked} examples");
}

#[test]
fn every_answer_has_an_example() {
    let description = description();
    for (pointer, object) in all_objects(&description) {
        let is_body = pointer.contains("/content/") && object.contains_key("schema");
        let is_this_document = pointer.contains("openapi.json");
        assert!(!is_body || is_this_document || object.contains_key("examples"), "{pointer}");
    }
}

/// Whoever generates a client gets a class for each object that is described, by a name that somebody chose.
#[test]
fn every_object_with_properties_is_a_named_component() {
    for (pointer, object) in all_objects(&description()) {
        let is_named = pointer.strip_prefix("#/components/schemas/").is_some_and(|name| !name.contains('/'));
        assert!(!object.contains_key("properties") || is_named, "{pointer}");
        // Compositions have no name in most languages.
        assert!(!object.contains_key("allOf"), "{pointer}");
    }
}

/// What an answer has it always has, but for these. A request's fields are mostly its sender's choice.
#[test]
fn every_key_of_an_answer_is_required() {
    const OPTIONAL: [&str; 2] = ["meta", "series"];
    let description = description();
    let mut pending: Vec<&Value> = Vec::new();
    for (_, path, operation) in operations(&description) {
        let responses = operation["responses"].as_object().unwrap().values();
        let answers = responses.map(|response| resolve(&description, response));
        let schemas = answers.filter_map(|answer| answer.pointer("/content/application~1json/schema"));
        pending.extend(schemas.filter(|_| path != "/api/v1/openapi.json"));
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(schema) = pending.pop() {
        let mut inner = Vec::new();
        objects("", resolve(&description, schema), &mut inner);
        for (pointer, object) in inner {
            if let Some(Value::String(reference)) = object.get("$ref") {
                let is_new = seen.insert(reference.clone());
                pending.extend(
                    is_new.then(|| &description["components"]["schemas"][reference.rsplit_once('/').unwrap().1]),
                );
            }
            let Some(properties) = object.get("properties").and_then(Value::as_object) else { continue };
            let required = object["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            let all = properties.keys().map(String::as_str).filter(|name| !OPTIONAL.contains(name));
            assert_eq!(required.collect::<BTreeSet<&str>>(), all.collect(), "{schema}{pointer}");
        }
    }
    assert!(seen.len() > 50, "{}", seen.len());
}

#[test]
fn every_operation_says_what_it_is_and_its_errors_by_reference() {
    let description = description();
    for (method, path, operation) in operations(&description) {
        let said = ["operationId", "summary"].map(|key| operation[key].as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!(said, [true, true], "{method} {path}");
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            if !status.starts_with(['4', '5']) {
                continue;
            }
            assert!(response.get("$ref").is_some(), "{method} {path}: {status}");
            let content = &resolve(&description, response)["content"]["application/json"];
            assert_eq!(content["schema"], json!({ "$ref": "#/components/schemas/ErrorResponse" }), "{method} {path}");
        }
    }
}

/// That an error has one of its response's codes, no schema says: it would be a class of its own in every client.
#[test]
fn examples_of_errors_have_the_response_s_status_and_one_of_its_codes() {
    let description = description();
    for (name, response) in description["components"]["responses"].as_object().unwrap() {
        let Some(codes) = response.get("x-error-codes").and_then(Value::as_array) else { continue };
        for example in response["content"]["application/json"]["examples"].as_object().unwrap().values() {
            let error = &example["value"]["error"];
            assert!(codes.contains(&error["code"]), "{name}: {error}");
            let status = error["status"].to_string();
            assert_eq!(statuses(&description, name), BTreeSet::from([status.as_str()]), "{name}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let description = description();
    let objects = all_objects(&description);
    let references = objects.iter().filter_map(|(_, object)| object.get("$ref")?.as_str());
    let used: BTreeSet<&str> = references.collect();
    for reference in &used {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
    for kind in ["schemas", "parameters", "headers", "responses"] {
        for name in description["components"][kind].as_object().unwrap().keys() {
            assert!(used.contains(format!("#/components/{kind}/{name}").as_str()), "{kind}/{name} is used nowhere");
        }
    }
}

#[test]
fn operations_have_names_of_their_own_and_links_lead_to_them() {
    let description = description();
    let operations = operations(&description);
    let names: BTreeSet<&str> =
        operations.iter().map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations.len());
    for (pointer, object) in all_objects(&description) {
        if pointer.contains("/links/") && object.contains_key("parameters") {
            assert!(names.contains(object["operationId"].as_str().unwrap()), "{pointer}");
        }
    }
}

#[test]
fn every_error_is_described_as_it_is_answered() {
    let description = description();
    let standing = shared::rate_limit::Bucket::new(60).standing(0, 0);
    let errors = [
        ("InvalidDate", ApiError::InvalidDate("?".to_owned())),
        ("InvalidParameter", ApiError::InvalidParameter("?".to_owned())),
        ("InvalidBatch", ApiError::InvalidBody("?".to_owned())),
        ("Unauthorized", ApiError::Unauthorized("?")),
        ("UnauthorizedBatch", ApiError::Unauthorized("?")),
        ("OriginNotAllowed", ApiError::OriginNotAllowed),
        ("UnknownVisitor", ApiError::NotFound("?")),
        ("UnknownSession", ApiError::NotFound("?")),
        ("UnknownVersion", ApiError::NotFound("?")),
        ("UnknownProject", ApiError::NotFound("?")),
        ("UnknownKey", ApiError::NotFound("?")),
        ("UnknownPerson", ApiError::NotFound("?")),
        ("UnknownAsset", ApiError::NotFound("?")),
        ("SignedOut", ApiError::Unauthorized("?")),
        ("BadInvitation", ApiError::Unauthorized("?")),
        ("ForbiddenManagement", ApiError::Forbidden("?")),
        ("OtherPage", ApiError::Forbidden("?")),
        ("InvalidManagementBody", ApiError::InvalidBody("?".to_owned())),
        ("ManagementBodyTooLarge", ApiError::PayloadTooLarge("?")),
        ("KeyChanged", ApiError::Conflict("?".to_owned())),
        ("ProjectExists", ApiError::Conflict("?".to_owned())),
        ("ManagementMethodNotAllowed", ApiError::MethodNotAllowed("POST")),
        ("PersonRateLimited", ApiError::RateLimited(standing)),
        ("MethodNotAllowed", ApiError::MethodNotAllowed("GET, HEAD")),
        ("BatchTooLarge", ApiError::PayloadTooLarge("?")),
        ("RateLimited", ApiError::RateLimited(standing)),
        ("Throttled", ApiError::Throttled(1)),
        ("InternalError", ApiError::Internal("?".to_owned())),
        ("Unavailable", ApiError::Unavailable),
    ];
    for (name, error) in errors {
        let described = &description["components"]["responses"][name];
        let schema = &described["content"]["application/json"]["schema"];
        let response = error.into_response();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert!(validator(&description, schema).is_valid(&body), "{name}: {body}");
        assert!(described["x-error-codes"].as_array().unwrap().contains(&body["error"]["code"]), "{name}: {body}");
        let status = response.status().as_str().to_owned();
        assert_eq!(statuses(&description, name), BTreeSet::from([status.as_str()]), "{name}");
    }
    // The documented key is a legal one.
    let batch = &description["paths"]["/collect"]["post"]["requestBody"]["content"]["application/json"]["examples"];
    assert!(ApiKey::parse(batch["page_view"]["value"]["key"].as_str().unwrap()).is_some());
}
