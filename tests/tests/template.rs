//! The template that deploys the project, held against the routes, the functions' folders and what each function may do.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use figures::table::keys;
use figures::table::store::{EXPIRES, PK, SK};
use serde_json::{Map, Value, json};
use shared::app::TIME_LIMIT;
use shared::origin;
use shared::routes::ROUTES;

/// Headers that the collector reads, so that CloudFront must forward them.
const READ_BY_COLLECTOR: [&str; 9] = [
    "CloudFront-Viewer-Address",
    "CloudFront-Viewer-City",
    "CloudFront-Viewer-Country",
    "CloudFront-Viewer-Country-Name",
    "Origin",
    "Sec-CH-UA",
    "Sec-CH-UA-Mobile",
    "Sec-CH-UA-Platform",
    "User-Agent",
];
/// Headers that CloudFront lets a policy name.
const MAX_HEADERS: usize = 10;

/// Functions that write in transactions.
const TRANSACTIONAL: [&str; 5] = ["key-rotation", "keys", "reconcile", "rollup", "sign-in"];

const READS: [&str; 3] = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The template, with each short intrinsic function as the long one.
struct Template(Value);

/// A function of the template.
struct Function<'a> {
    /// The name of its binary.
    name: &'a str,
    properties: &'a Value,
}

/// Seconds that a day has, and a 30 days' month.
const DAY: f64 = 86_400.0;
const MONTH: f64 = 30.0 * DAY;

/// What a statement of a function's role allows.
#[derive(Debug)]
struct Statement {
    actions: Vec<String>,
    resource: Value,
    /// The partition keys that it is limited to.
    leading_keys: Option<Vec<String>>,
    /// Whether it asks for a partition key to be there at all.
    needs_a_key: bool,
}

impl Template {
    fn read() -> Self {
        let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
        Template(long(serde_norway::from_str(&text).unwrap()))
    }

    fn resource(&self, id: &str) -> &Value {
        self.0["Resources"].get(id).unwrap_or_else(|| panic!("there is no resource {id}"))
    }

    fn resources_of(&self, kinds: &[&str]) -> Vec<(&str, &Value)> {
        let all = self.0["Resources"].as_object().unwrap().iter();
        all.filter(|(_, resource)| kinds.contains(&resource["Type"].as_str().unwrap()))
            .map(|(id, resource)| (id.as_str(), resource))
            .collect()
    }

    fn parameter(&self, name: &str) -> &Value {
        self.0["Parameters"].get(name).unwrap_or_else(|| panic!("there is no parameter {name}"))
    }

    /// A parameter's default, which is a number.
    fn default(&self, name: &str) -> f64 {
        self.parameter(name)["Default"].as_f64().unwrap_or_else(|| panic!("{name} has no number by default"))
    }

    /// Whether a condition holds if a parameter is anything but a value.
    fn is_unless(&self, condition: &str, parameter: &str, value: &str) -> bool {
        self.0["Conditions"][condition] == json!({ "Fn::Not": [{ "Fn::Equals": [reference(parameter), value] }] })
    }

    fn functions(&self) -> Vec<Function<'_>> {
        let functions = self.resources_of(&["AWS::Serverless::Function"]).into_iter();
        functions
            .map(|(id, resource)| {
                let build = &resource["Metadata"];
                assert_eq!(build["BuildMethod"], "rust-cargolambda", "{id}");
                Function { name: text(&build["BuildProperties"]["Binary"]), properties: &resource["Properties"] }
            })
            .collect()
    }

    fn function(&self, name: &str) -> Function<'_> {
        self.functions().into_iter().find(|function| function.name == name).unwrap()
    }

    /// The id of a function's role.
    fn role<'a>(&self, function: &Function<'a>) -> &'a str {
        attribute_of(&function.properties["Role"], "Arn")
    }

    /// What a function may do. The role is read strictly: whatever else it said would be overlooked here.
    fn statements(&self, function: &Function<'_>) -> Vec<Statement> {
        let role = &self.resource(self.role(function))["Properties"];
        assert_eq!(fields(role), ["AssumeRolePolicyDocument", "Policies"], "{}", function.name);
        let [trust] = &list(&role["AssumeRolePolicyDocument"]["Statement"])[..] else { panic!("one statement") };
        let lambda = json!({
            "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole",
        });
        assert_eq!(**trust, lambda, "{}", function.name);
        let documents = list(&role["Policies"]).into_iter().map(|policy| &policy["PolicyDocument"]);
        documents.flat_map(|document| list(&document["Statement"])).map(Statement::read).collect()
    }
}

impl Statement {
    fn read(statement: &Value) -> Self {
        let known = ["Action", "Condition", "Effect", "Resource", "Sid"];
        assert!(fields(statement).iter().all(|field| known.contains(field)), "{statement}");
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        let mut needs_a_key = false;
        let leading_keys = statement.get("Condition").map(|condition| {
            let mut conditions = condition.as_object().unwrap().clone();
            if let Some(null) = conditions.remove("Null") {
                assert_eq!(null, json!({ "dynamodb:LeadingKeys": "false" }), "{statement}");
                needs_a_key = true;
            }
            let keys = conditions["ForAllValues:StringLike"]["dynamodb:LeadingKeys"].clone();
            let expected = json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } });
            assert_eq!(Value::Object(conditions), expected, "{statement}");
            texts(&keys)
        });
        let actions = match &statement["Action"] {
            Value::String(action) => vec![action.clone()],
            actions => texts(actions),
        };
        Statement { actions, resource: statement["Resource"].clone(), leading_keys, needs_a_key }
    }

    fn is_of_table(&self) -> bool {
        self.resource == of("Table", "Arn")
    }

    fn allows(&self, action: &str) -> bool {
        self.actions.iter().any(|allowed| allowed == action)
    }
}

/// A YAML value with `!Ref X` as `{"Ref": X}`, `!GetAtt X.Y` as `{"Fn::GetAtt": [X, Y]}`, and `!Sub …` as `{"Fn::Sub": …}`.
fn long(value: serde_norway::Value) -> Value {
    use serde_norway::Value as Yaml;
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => json!(value),
        Yaml::Number(number) => serde_json::to_value(number).unwrap(),
        Yaml::String(text) => json!(text),
        Yaml::Sequence(values) => values.into_iter().map(long).collect(),
        Yaml::Mapping(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name.as_str().unwrap().to_owned(), long(value)));
            Value::Object(fields.collect())
        }
        Yaml::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            let value = long(tagged.value);
            match name.trim_start_matches('!') {
                plain @ ("Ref" | "Condition") => json!({ plain: value }),
                "GetAtt" => {
                    let (id, attribute) = text(&value).split_once('.').unwrap();
                    of(id, attribute)
                }
                name => json!({ format!("Fn::{name}"): value }),
            }
        }
    }
}

fn reference(id: &str) -> Value {
    json!({ "Ref": id })
}

fn of(id: &str, attribute: &str) -> Value {
    json!({ "Fn::GetAtt": [id, attribute] })
}

/// The resource whose attribute this is.
fn attribute_of<'a>(value: &'a Value, attribute: &str) -> &'a str {
    assert_eq!(value["Fn::GetAtt"][1], attribute, "{value}");
    text(&value["Fn::GetAtt"][0])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list")).iter().collect()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).into_iter().map(|value| text(value).to_owned()).collect()
}

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object")).keys().map(String::as_str).collect()
}

fn names_of_reads() -> BTreeSet<&'static str> {
    ROUTES.iter().filter(|route| route.reads_a_project()).map(|route| route.function).collect()
}

#[test]
fn the_api_has_the_routes_of_the_route_table_and_a_default() {
    let template = Template::read();
    let expected = ROUTES.iter().flat_map(|route| {
        route.allowed().split(", ").map(|method| (method.to_owned(), route.path.to_owned(), route.function.to_owned()))
    });
    let default = ("$default".to_owned(), "$default".to_owned(), "not-found".to_owned());
    let expected: BTreeSet<_> = expected.chain([default]).collect();

    let mut found = Vec::new();
    for function in template.functions() {
        let events = function.properties["Events"].as_object().unwrap().values();
        for event in events.filter(|event| event["Type"] == "HttpApi") {
            let route = &event["Properties"];
            assert_eq!(route["ApiId"], reference("Api"), "{}", function.name);
            let part = |name| route.get(name).map_or("$default", text).to_owned();
            found.push((part("Method"), part("Path"), function.name.to_owned()));
        }
    }
    assert_eq!(found.len(), expected.len());
    assert_eq!(BTreeSet::from_iter(found), expected);
    // No stage in front of the paths, and no CORS but the collector's own.
    let api = &template.resource("Api")["Properties"];
    assert_eq!(fields(api), ["AccessLogSettings", "DefaultRouteSettings", "RouteSettings"]);
    assert_eq!(template.resources_of(&["AWS::Serverless::HttpApi", "AWS::Serverless::Api"]).len(), 1);
}

#[test]
fn each_route_has_a_bound_and_visitors_have_more_room_than_the_rest() {
    let template = Template::read();
    let api = &template.resource("Api")["Properties"];
    let bound = |prefix: &str| {
        let [rate, burst] = ["Rate", "Burst"].map(|what| reference(&format!("{prefix}Throttling{what}")));
        json!({ "ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst })
    };
    assert_eq!(api["DefaultRouteSettings"], bound("Read"));
    // What pages are made of, and what visitors' pages send.
    let of_pages = ROUTES.iter().filter(|route| ["collect", "dashboard", "tracker"].contains(&route.function));
    let of_pages = of_pages.flat_map(|route| {
        let methods = route.allowed().split(", ").filter(|method| *method != "HEAD");
        methods.map(|method| (format!("{method} {}", route.path), bound("")))
    });
    let expected: BTreeMap<String, Value> = of_pages.collect();
    let found: BTreeMap<String, Value> = serde_json::from_value(api["RouteSettings"].clone()).unwrap();
    assert_eq!(found, expected);
    assert!(template.default("ReadThrottlingRate") * 10.0 < template.default("ThrottlingRate"));
}

#[test]
fn the_table_has_a_ceiling_and_what_it_may_cost_a_day_is_known() {
    let template = Template::read();
    let ceiling = &template.resource("Table")["Properties"]["OnDemandThroughput"];
    let [condition, units, none] = &list(&ceiling["Fn::If"])[..] else { panic!("{ceiling}") };
    let nothing = reference("AWS::NoValue");
    assert_eq!((*condition, *none), (&json!("HasCeiling"), &nothing));
    let either = json!({ "Fn::Or": [{ "Condition": "HasWriteCeiling" }, { "Condition": "HasReadCeiling" }] });
    assert_eq!(template.0["Conditions"]["HasCeiling"], either);
    for (kind, property) in [("Write", "MaxWriteRequestUnits"), ("Read", "MaxReadRequestUnits")] {
        let (parameter, condition) = (format!("Max{kind}Units"), format!("Has{kind}Ceiling"));
        assert_eq!(units[property], json!({ "Fn::If": [condition, reference(&parameter), nothing] }));
        assert!(template.is_unless(&condition, &parameter, "0"), "0 is no ceiling");
        assert_eq!(template.parameter(&parameter)["MinValue"], 0);
        // It is told of long before.
        let alarm = format!("Alarm{kind}Units");
        assert!(template.default(&alarm) * 4.0 <= template.default(&parameter));
        assert_eq!(template.resource(&format!("{kind}UnitsAlarm"))["Properties"]["Threshold"], reference(&alarm));
    }
    // Prices and units are those of docs/deployment.md and docs/performance.md.
    let (writes, reads) = (template.default("MaxWriteUnits"), template.default("MaxReadUnits"));
    let a_day = (writes * 0.625 + reads * 0.125) * DAY / 1e6;
    assert!((97.0..98.0).contains(&a_day), "docs/deployment.md says 97.20 a day at worst: {a_day}");
    let of_ten_million = 10e6 / MONTH;
    assert!(
        writes / 13.3 > 15.0 * of_ten_million && reads / 7.3 > 15.0 * of_ten_million,
        "room for ten million a month"
    );
    assert!(template.default("AlarmWriteUnits") > 4.0 * 13.3 * of_ten_million, "and no alarm for them");
    // The gateway takes no more than twice what the table does: two batches a page view, at the price of many together.
    assert!(template.default("ThrottlingRate") < 2.0 * 2.0 * writes / 7.2);
}

#[test]
fn a_projects_day_has_a_bound_that_is_told_of_before() {
    let template = Template::read();
    let collect = template.function("collect");
    assert_eq!(
        collect.properties["Environment"]["Variables"],
        json!({ "MAX_DAILY_UNITS": reference("MaxDailyUnits") })
    );
    let (max, told) = (template.default("MaxDailyUnits"), template.default("AlarmDailyUnits"));
    assert_eq!(template.resource("DailyUnitsAlarm")["Properties"]["Threshold"], reference("AlarmDailyUnits"));
    assert!(told * 2.0 <= max);
    assert!((12.4..12.6).contains(&(max * 0.625 / 1e6)), "docs/deployment.md says 12.50 a day");
    assert!(told > 2.0 * 13.3 * 10e6 / 30.0, "ten million page views a month are no alarm");
}

#[test]
fn a_budget_is_told_by_mail_where_one_is_set() {
    let template = Template::read();
    let budget = template.resource("Budget");
    assert_eq!(budget["Condition"], "HasBudget");
    assert!(template.is_unless("HasBudget", "MonthlyBudget", "0"));
    assert_eq!(template.default("MonthlyBudget"), 0.0);
    let properties = &budget["Properties"];
    assert_eq!(properties["Budget"]["TimeUnit"], "MONTHLY");
    assert_eq!(properties["Budget"]["BudgetLimit"], json!({ "Amount": reference("MonthlyBudget"), "Unit": "USD" }));
    let mail = json!([{ "SubscriptionType": "EMAIL", "Address": reference("AlarmEmail") }]);
    let told = list(&properties["NotificationsWithSubscribers"]);
    assert!(told.iter().all(|notification| notification["Subscribers"] == mail));
    let at = |notification: &&Value| {
        let notification = &notification["Notification"];
        (text(&notification["NotificationType"]).to_owned(), notification["Threshold"].as_u64().unwrap())
    };
    let expected = [("ACTUAL", 50), ("ACTUAL", 100), ("FORECASTED", 100)].map(|(kind, at)| (kind.to_owned(), at));
    assert_eq!(told.iter().map(at).collect::<Vec<_>>(), expected);
    // Without an address there would be nobody to tell, and the deployment would fail late.
    let rule = &template.0["Rules"]["BudgetIsHeard"];
    assert_eq!(
        rule["Assertions"][0]["Assert"],
        json!({ "Fn::Not": [{ "Fn::Equals": [reference("AlarmEmail"), ""] }] })
    );
}

#[test]
fn concurrency_is_reserved_where_it_is_asked_for() {
    let template = Template::read();
    for function in template.functions() {
        let reserved = function.properties.get("ReservedConcurrentExecutions");
        let of = |name: &str| {
            let (condition, parameter) = (format!("Has{name}Concurrency"), format!("{name}Concurrency"));
            assert!(template.is_unless(&condition, &parameter, "0"));
            // A new account has too little for any.
            assert_eq!(template.default(&parameter), 0.0);
            json!({ "Fn::If": [condition, reference(&parameter), reference("AWS::NoValue")] })
        };
        let expected = match function.name {
            "collect" => Some(of("Collect")),
            "rollup" => Some(of("Rollup")),
            _ => None,
        };
        assert_eq!(reserved, expected.as_ref(), "{}", function.name);
    }
}

#[test]
fn the_gateways_log_is_off_unless_asked_for_and_tells_neither_path_nor_query() {
    let template = Template::read();
    assert_eq!(template.default("AccessLogDays"), 0.0);
    assert!(template.is_unless("HasAccessLog", "AccessLogDays", "0"));
    let settings = &template.resource("Api")["Properties"]["AccessLogSettings"];
    let [condition, log, none] = &list(&settings["Fn::If"])[..] else { panic!("{settings}") };
    assert_eq!((*condition, *none), (&json!("HasAccessLog"), &reference("AWS::NoValue")));
    assert_eq!(log["DestinationArn"], of("AccessLogs", "Arn"));
    let group = template.resource("AccessLogs");
    assert_eq!(group["Condition"], "HasAccessLog");
    assert_eq!(group["Properties"]["RetentionInDays"], reference("AccessLogDays"));
    // No longer than addresses are readable elsewhere.
    let days =
        list(&template.parameter("AccessLogDays")["AllowedValues"]).into_iter().map(|days| days.as_u64().unwrap());
    assert_eq!(days.max(), Some(30));
    let told: BTreeSet<&str> =
        text(&log["Format"]).split('$').skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let known = ["context.identity.sourceIp", "context.requestId", "context.routeKey", "context.status"];
    let known: BTreeSet<&str> = known.into_iter().chain(["context.requestTimeEpoch,"]).collect();
    assert_eq!(told, known);
}

#[test]
fn each_function_of_the_project_is_deployed_once() {
    let template = Template::read();
    let folders = std::fs::read_dir(root().join("functions")).unwrap().map(|entry| entry.unwrap().path());
    let mut programs: Vec<String> = folders
        .filter(|folder| folder.join("src/main.rs").is_file())
        .map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    programs.sort_unstable();
    let mut deployed: Vec<_> = template.functions().iter().map(|function| function.name.to_owned()).collect();
    deployed.sort_unstable();
    assert_eq!(deployed, programs);
    for function in template.functions() {
        assert_eq!(function.properties["CodeUri"], format!("functions/{}", function.name));
    }
    let common = &template.0["Globals"]["Function"];
    assert_eq!((&common["Runtime"], &common["Handler"]), (&json!("provided.al2023"), &json!("bootstrap")));
    assert_eq!(common["Architectures"], json!([reference("Architecture")]));
    // A request is answered before its function is ended.
    assert_eq!(common["Timeout"], TIME_LIMIT.as_secs() + 2);
}

/// A function that is told what it can't read keeps all; so nobody can tell it that.
#[test]
fn what_is_kept_is_what_functions_understand() {
    let template = Template::read();
    let parameter = &template.0["Parameters"]["RetentionDays"];
    let is_kept = |text: &str| text.parse::<figures::retention::Retention>().is_ok();
    // As long as a tracker knows a visitor.
    assert_eq!(parameter["Default"], "395");
    let schema = json!({ "pattern": parameter["AllowedPattern"] });
    let schema = jsonschema::draft202012::options().build(&schema).unwrap();
    for days in 0..40_000 {
        let text = days.to_string();
        assert_eq!(schema.is_valid(&json!(text)), is_kept(&text), "{days}");
    }
    for text in ["", "-1", "030", "3 0", "395d"] {
        assert!(!schema.is_valid(&json!(text)), "{text}");
    }
}

#[test]
fn each_function_has_the_environment_that_it_reads() {
    let template = Template::read();
    let common = &template.0["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(common["TABLE_NAME"], reference("Table"));
    assert_eq!(common["RUST_LOG"], reference("LogLevel"));
    assert_eq!(common[figures::retention::VARIABLE], reference("RetentionDays"));
    let [secret, previous] = origin::SECRET_VARIABLES;
    for (variable, parameter) in [
        (secret, "OriginSecret"),
        (previous, "PreviousOriginSecret"),
        (origin::REQUIRED_VARIABLE, "RequireOriginSecret"),
    ] {
        assert_eq!(common[variable], reference(parameter));
    }
    for function in template.functions() {
        let own = function.properties.get("Environment").map(|environment| &environment["Variables"]);
        let expected = match function.name {
            "collect" => Some(json!({ "MAX_DAILY_UNITS": reference("MaxDailyUnits") })),
            "rollup" | "reconcile" => Some(json!({ "DEAD_LETTER_QUEUE_URL": reference("DeadLetters") })),
            _ => None,
        };
        assert_eq!(own, expected.as_ref(), "{}", function.name);
    }
    for parameter in ["OriginSecret", "PreviousOriginSecret"] {
        assert_eq!(template.parameter(parameter)["NoEcho"], true);
    }
    // It closes the gateway's own address as soon as there is a secret.
    assert_eq!(template.parameter("RequireOriginSecret")["Default"], "true");
}

#[test]
fn each_function_has_a_role_and_a_log_group_of_its_own() {
    let template = Template::read();
    let (mut roles, mut groups) = (BTreeSet::new(), BTreeSet::new());
    for function in template.functions() {
        let name = function.name;
        assert!(roles.insert(template.role(&function).to_owned()), "{name} shares its role");
        // A role of one's own is not widened by these.
        assert!(function.properties.get("Policies").is_none(), "{name}");

        let group = text(&function.properties["LoggingConfig"]["LogGroup"]["Ref"]);
        assert!(groups.insert(group.to_owned()), "{name} shares its log group");
        let resource = template.resource(group);
        assert_eq!(resource["Type"], "AWS::Logs::LogGroup", "{name}");
        assert_eq!(resource["Properties"]["RetentionInDays"], reference("LogRetentionDays"), "{name}");

        let statements = template.statements(&function);
        let logs: Vec<_> = statements.iter().filter(|statement| statement.resource == of(group, "Arn")).collect();
        assert_eq!(logs.len(), 1, "{name}");
        assert_eq!(logs[0].actions, ["logs:CreateLogStream", "logs:PutLogEvents"], "{name}");
    }
    let all = |kind| template.resources_of(&[kind]).into_iter().map(|(id, _)| id.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(roles, all("AWS::IAM::Role"));
    groups.insert("AccessLogs".to_owned());
    assert_eq!(groups, all("AWS::Logs::LogGroup"));
    assert!(template.resources_of(&["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"]).is_empty());
    assert!(template.0["Globals"]["Function"].get("Policies").is_none());
    let retention = &template.0["Parameters"]["LogRetentionDays"];
    assert!(list(&retention["AllowedValues"]).contains(&&retention["Default"]));
}

#[test]
fn no_function_may_do_more_than_is_named() {
    let template = Template::read();
    for function in template.functions() {
        let logs = text(&function.properties["LoggingConfig"]["LogGroup"]["Ref"]).to_owned();
        let known = [of("Table", "Arn"), of("Table", "StreamArn"), of("DeadLetters", "Arn"), of(&logs, "Arn")];
        for statement in template.statements(&function) {
            assert!(known.contains(&statement.resource), "{}: {statement:?}", function.name);
            let named = |action: &String| !action.contains('*') && action.contains(':');
            assert!(statement.actions.iter().all(named), "{}: {statement:?}", function.name);
            // All but a scan, which has no partition key, is limited to partitions.
            let has_keys = statement.is_of_table() && !statement.allows("dynamodb:Scan");
            assert_eq!(statement.leading_keys.is_some(), has_keys, "{}: {statement:?}", function.name);
            // The condition on keys holds where there is none, unless it asks for one. What is written in transactions
            // is left out.
            let writes = ["dynamodb:DeleteItem", "dynamodb:PutItem"].iter().any(|action| statement.allows(action));
            let is_in_transactions = writes && TRANSACTIONAL.contains(&function.name);
            assert_eq!(statement.needs_a_key, has_keys && !is_in_transactions, "{}: {statement:?}", function.name);
            // None reaches every partition, and a key's item is out of reach of all but who it authenticates.
            let keys = statement.leading_keys.iter().flatten();
            let of_projects =
                ["P#*", "P#*#KEYS", "P#*#IP", "P#*#SECRET", "P#*#SPENT", "P#*#U#*", "P#*#V#*", "P#warm-up#TAIL"];
            let expected = [&["CONSUMER", "INVITATION#*", "KEY#*", "PEOPLE", "PROJECTS"], &of_projects[..]].concat();
            assert!(keys.clone().all(|key| expected.contains(&key.as_str())), "{}: {statement:?}", function.name);
        }
    }
}

/// What a function may do with the table, by action: with which partition keys.
fn rights(template: &Template, name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut rights = BTreeMap::<String, BTreeSet<String>>::new();
    for statement in template.statements(&template.function(name)).into_iter().filter(Statement::is_of_table) {
        let keys = statement.leading_keys.unwrap_or_default();
        for action in statement.actions {
            rights.entry(action).or_default().extend(keys.iter().cloned());
        }
    }
    rights
}

fn expected<const N: usize>(rights: [(&str, &[&str]); N]) -> BTreeMap<String, BTreeSet<String>> {
    let own = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect();
    rights.into_iter().map(|(action, keys)| (format!("dynamodb:{action}"), own(keys))).collect()
}

#[test]
fn an_endpoint_reads_projects_and_writes_nothing_but_the_tokens_of_keys() {
    let template = Template::read();
    for name in names_of_reads() {
        let mut rights = rights(&template, name);
        let own = |key: &str| BTreeSet::from([key.to_owned()]);
        assert_eq!(rights.remove("dynamodb:UpdateItem"), Some(own("KEY#*")), "{name}");
        let get = rights.get_mut("dynamodb:GetItem").unwrap_or_else(|| panic!("{name} finds no key"));
        assert!(get.remove("KEY#*"), "{name} finds no key");
        assert!(get.remove("PROJECTS"), "{name} does not see whether a project exists");
        for (action, keys) in rights {
            assert!(READS.contains(&action.as_str()), "{name}: {action}");
            assert_eq!(keys, own("P#*"), "{name}: {action}");
        }
    }
}

#[test]
fn what_needs_no_table_can_not_reach_it() {
    let template = Template::read();
    for name in ["dashboard", "not-found", "openapi", "tracker"] {
        assert_eq!(template.statements(&template.function(name)).len(), 1, "{name} needs its log alone");
    }
}

/// What each function of management may do besides taking a token from a cookie's item.
#[test]
fn who_manages_reaches_no_more_than_what_is_managed() {
    let template = Template::read();
    let token = expected([("GetItem", &["KEY#*", "P#warm-up#TAIL"]), ("UpdateItem", &["KEY#*"])]);
    let own = |name: &str| {
        let mut rights = rights(&template, name);
        for (action, keys) in &token {
            let granted = rights.get_mut(action).unwrap_or_else(|| panic!("{name} takes no token"));
            granted.retain(|key| !keys.contains(key));
        }
        rights.retain(|_, keys| !keys.is_empty());
        rights
    };
    assert_eq!(own("sign-out"), expected([("DeleteItem", &["KEY#*", "PEOPLE"])]));
    assert_eq!(own("me"), expected([("Query", &["PROJECTS"])]));
    let keys = [
        ("BatchGetItem", &["KEY#*"][..]),
        ("GetItem", &["PROJECTS"]),
        ("PutItem", &["KEY#*", "P#*#KEYS"]),
        ("Query", &["P#*#KEYS"]),
    ];
    assert_eq!(own("keys"), expected(keys));
    let found = &["P#*#KEYS", "PROJECTS"][..];
    let key = [("DeleteItem", &["KEY#*"][..]), ("PutItem", &["P#*#KEYS"]), ("Query", found)];
    assert_eq!(own("key"), expected(key));
    let rotated = &["KEY#*", "P#*#KEYS"][..];
    let rotation = [("DeleteItem", rotated), ("PutItem", rotated), ("Query", found)];
    assert_eq!(own("key-rotation"), expected(rotation));
    assert_eq!(own("projects"), expected([("PutItem", &["PROJECTS"]), ("Query", &["PROJECTS"])]));
    assert_eq!(own("project"), expected([("GetItem", &["PROJECTS"]), ("UpdateItem", &["PROJECTS"])]));
    let gone = &["KEY#*", "PEOPLE"][..];
    let people = [
        ("BatchGetItem", &["KEY#*"][..]),
        ("DeleteItem", gone),
        ("GetItem", &["PROJECTS"]),
        ("PutItem", &["INVITATION#*"]),
        ("Query", &["PEOPLE"]),
    ];
    assert_eq!(own("people"), expected(people));
    assert_eq!(
        own("person"),
        expected([("BatchGetItem", &["KEY#*"][..]), ("DeleteItem", gone), ("Query", &["PEOPLE"])])
    );
    // It has no cookie yet.
    let let_in = &["INVITATION#*", "KEY#*", "PEOPLE"][..];
    let found = &["INVITATION#*", "KEY#*", "P#warm-up#TAIL"][..];
    let sign_in = [("DeleteItem", let_in), ("GetItem", found), ("PutItem", let_in)];
    assert_eq!(rights(&template, "sign-in"), expected(sign_in));
}

#[test]
fn the_write_path_writes_what_is_its_own() {
    let template = Template::read();
    let collect = expected([
        ("GetItem", &["KEY#*", "P#*#IP", "P#*#SECRET", "P#*#SPENT", "P#*#U#*", "P#warm-up#TAIL", "PROJECTS"]),
        ("PutItem", &["P#*#IP", "P#*#SECRET", "P#*#U#*", "P#*#V#*"]),
    ]);
    assert_eq!(rights(&template, "collect"), collect);
    let rollup = expected([
        ("BatchGetItem", &["P#*"]),
        ("DeleteItem", &["P#*"]),
        ("GetItem", &["CONSUMER", "P#*", "PROJECTS"]),
        ("PutItem", &["P#*"]),
        ("Query", &["P#*"]),
        ("UpdateItem", &["CONSUMER", "P#*#SPENT"]),
    ]);
    assert_eq!(rights(&template, "rollup"), rollup);
    let mut reconcile = rollup;
    reconcile.insert("dynamodb:Scan".to_owned(), BTreeSet::new());
    reconcile.extend(expected([("Query", &["P#*", "PROJECTS"]), ("UpdateItem", &["CONSUMER"])]));
    assert_eq!(rights(&template, "reconcile"), reconcile);

    // Besides the table: the stream for `rollup` alone; the queue for it and for `reconcile`.
    for function in template.functions() {
        let statements = template.statements(&function);
        let besides = statements.iter().filter(|statement| {
            let logs = &function.properties["LoggingConfig"]["LogGroup"]["Ref"];
            !statement.is_of_table() && statement.resource != of(text(logs), "Arn")
        });
        let besides: Vec<_> = besides.map(|statement| (&statement.resource, statement.actions.join(" "))).collect();
        let stream = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams";
        match function.name {
            "rollup" => assert_eq!(
                besides,
                [
                    (&of("Table", "StreamArn"), stream.to_owned()),
                    (&of("DeadLetters", "Arn"), "sqs:SendMessage".to_owned()),
                ]
            ),
            "reconcile" => {
                assert_eq!(besides, [(&of("DeadLetters", "Arn"), "sqs:ReceiveMessage sqs:DeleteMessage".to_owned())])
            }
            name => assert!(besides.is_empty(), "{name}: {besides:?}"),
        }
    }
}

#[test]
fn the_keys_of_roles_are_those_of_the_table() {
    let matches = |pattern: &str, key: &str| match pattern.split('*').collect::<Vec<_>>()[..] {
        [whole] => key == whole,
        [start, end] => key.starts_with(start) && key.ends_with(end),
        [start, middle, end] => key.starts_with(start) && key.contains(middle) && key.ends_with(end),
        _ => panic!("{pattern}"),
    };
    let (project, visitor) = ("shop".parse().unwrap(), "v_1".parse().unwrap());
    for (pattern, key) in [
        ("KEY#*", keys::api_key("0").pk),
        ("INVITATION#*", keys::invitation("0").pk),
        ("PEOPLE", keys::person("0").pk),
        ("P#*#KEYS", keys::project_keys(&project)),
        ("PROJECTS", keys::project(&project).pk),
        ("CONSUMER", keys::heartbeat().pk),
        ("P#*#V#*", keys::visitor(&project, &visitor).pk),
        ("P#*#IP", keys::ip_keys(&project)),
        ("P#*#SECRET", keys::day_secret(&project, "2025-06-15".parse().unwrap()).pk),
        ("P#*#SPENT", keys::spending(&project, "2025-06-15".parse().unwrap()).pk),
        ("P#*#U#*", keys::unnamed_session(&project, &[7]).pk),
        ("P#warm-up#TAIL", keys::manifest(&"warm-up".parse().unwrap()).pk),
        ("P#*", keys::visitor(&project, &visitor).pk),
        ("P#*", keys::tail(&project)),
        ("P#*", keys::tombstones(&project)),
    ] {
        assert!(matches(pattern, &key), "{pattern} {key}");
    }
}

#[test]
fn the_table_is_as_the_program_expects_and_hard_to_lose() {
    let template = Template::read();
    let table = template.resource("Table");
    assert_eq!(table["Type"], "AWS::DynamoDB::Table");
    assert_eq!((&table["DeletionPolicy"], &table["UpdateReplacePolicy"]), (&json!("Retain"), &json!("Retain")));
    let properties = &table["Properties"];
    let key = |name, kind| json!({ "AttributeName": name, "KeyType": kind });
    let attribute = |name| json!({ "AttributeName": name, "AttributeType": "S" });
    assert_eq!(properties["KeySchema"], json!([key(PK, "HASH"), key(SK, "RANGE")]));
    assert_eq!(properties["AttributeDefinitions"], json!([attribute(PK), attribute(SK)]));
    assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(properties["TimeToLiveSpecification"], json!({ "AttributeName": EXPIRES, "Enabled": true }));
    assert_eq!(properties["StreamSpecification"], json!({ "StreamViewType": "NEW_IMAGE" }));
    assert_eq!(properties["PointInTimeRecoverySpecification"], json!({ "PointInTimeRecoveryEnabled": true }));
    assert_eq!(properties["SSESpecification"], json!({ "SSEEnabled": true }));
    assert_eq!(properties["DeletionProtectionEnabled"], reference("DeletionProtection"));
    assert_eq!(template.0["Parameters"]["DeletionProtection"]["Default"], "true");
    assert_eq!(template.0["Outputs"]["TableName"]["Value"], reference("Table"));
}

#[test]
fn the_stream_brings_new_batches_and_gives_up_none_silently() {
    let template = Template::read();
    let rollup = template.function("rollup");
    let events = rollup.properties["Events"].as_object().unwrap();
    assert_eq!(events.len(), 1);
    let event = events.values().next().unwrap();
    assert_eq!(event["Type"], "DynamoDB");
    let source = &event["Properties"];
    assert_eq!(source["Stream"], of("Table", "StreamArn"));
    assert_eq!(source["StartingPosition"], "TRIM_HORIZON");
    let [filter] = &list(&source["FilterCriteria"]["Filters"])[..] else { panic!("one filter") };
    let pattern: Value = serde_json::from_str(text(&filter["Pattern"])).unwrap();
    let wanted = json!({ SK: { "S": [{ "prefix": keys::BATCH_PREFIX }, { "prefix": keys::WORK_PREFIX }] } });
    assert_eq!(pattern, json!({ "eventName": ["INSERT"], "dynamodb": { "Keys": wanted } }));
    assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    assert_eq!(source["BisectBatchOnFunctionError"], true);
    // The stream keeps records for a day; what is given up has to be queued before.
    let age = source["MaximumRecordAgeInSeconds"].as_u64().unwrap();
    assert!((12 * 3_600..24 * 3_600).contains(&age));
    let queue = json!({ "OnFailure": { "Type": "SQS", "Destination": of("DeadLetters", "Arn") } });
    assert_eq!(source["DestinationConfig"], queue);

    // Figures are promised within 10 s.
    assert_eq!(source["MaximumBatchingWindowInSeconds"], reference("RollupWindowSeconds"));
    assert_eq!(template.0["Parameters"]["RollupWindowSeconds"]["MaxValue"], 5);
    assert_eq!(source["ParallelizationFactor"], reference("RollupParallelization"));

    let queue = &template.resource("DeadLetters")["Properties"];
    assert_eq!(queue["MessageRetentionPeriod"], 14 * 86_400);
    assert_eq!(queue["SqsManagedSseEnabled"], true);
    let policy = &template.resource("DeadLettersPolicy")["Properties"];
    assert_eq!(policy["Queues"], json!([reference("DeadLetters")]));
    let [statement] = &list(&policy["PolicyDocument"]["Statement"])[..] else { panic!("one statement") };
    assert_eq!(statement["Effect"], "Deny");
    assert_eq!(statement["Condition"], json!({ "Bool": { "aws:SecureTransport": "false" } }));
    assert_eq!(template.0["Outputs"]["DeadLetterQueueUrl"]["Value"], reference("DeadLetters"));
}

/// A record that ends the function holds its shard up for as long as all tries at it take: of the batch it came in, of
/// the halves until it is alone (Lambda counts none of these as a try again), and again.
#[test]
fn a_record_that_ends_the_function_holds_up_a_shard_for_two_minutes_at_most() {
    const AT_MOST: Duration = Duration::from_secs(120);
    /// To notice that a try has failed, and to start the function again.
    const BETWEEN: Duration = Duration::from_secs(2);
    let template = Template::read();
    let rollup = template.function("rollup").properties;
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap_or_else(|| panic!("{value}"))).unwrap();
    let timeout = Duration::from_secs(number(&rollup["Timeout"]).into());
    let events = rollup["Events"].as_object().unwrap();
    let source = &events["Stream"]["Properties"];
    assert_eq!(source["BisectBatchOnFunctionError"], true);
    let halvings = number(&source["BatchSize"]).next_power_of_two().ilog2();
    let tries = 1 + halvings + number(&source["MaximumRetryAttempts"]);
    let standstill = (timeout + BETWEEN) * tries;
    assert!(standstill <= AT_MOST, "{tries} tries of {timeout:?}: {standstill:?}");
    // What is merely slow ends no function: it has the time to queue what it did not come to.
    assert!(timeout > rollup::stream::TIME_LIMIT + rollup::stream::QUEUE_TIME_LIMIT);
}

#[test]
fn reconcile_is_called_by_schedules_alone() {
    let template = Template::read();
    let reconcile = template.function("reconcile");
    let events: &Map<String, Value> = reconcile.properties["Events"].as_object().unwrap();
    assert!(events.values().all(|event| event["Type"] == "ScheduleV2"));
    let schedules = events.values().map(|event| {
        let event = &event["Properties"];
        (
            event["ScheduleExpression"].clone(),
            event.get("Input").map(|input| serde_json::from_str(text(input)).unwrap()),
        )
    });
    let expected: [(Value, Option<Value>); 2] =
        [(reference("ReconcileSchedule"), None), (json!("rate(5 minutes)"), Some(json!({ "only": "queue" })))];
    assert_eq!(schedules.collect::<Vec<_>>(), expected);
    assert_eq!(reconcile.properties["Timeout"], 900);
}

#[test]
fn cloudfront_tells_the_collector_who_is_there_and_caches_files_alone() {
    const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
    let template = Template::read();
    let distribution = &template.resource("Distribution")["Properties"]["DistributionConfig"];
    assert_eq!(distribution["DefaultCacheBehavior"]["CachePolicyId"], CACHING_DISABLED);
    let [collect, files @ ..] = &list(&distribution["CacheBehaviors"])[..] else { panic!("behaviours") };
    assert_eq!(collect["PathPattern"], shared::routes::COLLECT);
    assert_eq!(collect["CachePolicyId"], CACHING_DISABLED);
    assert_eq!(collect["OriginRequestPolicyId"], reference("ViewerPolicy"));
    assert_eq!(collect["AllowedMethods"].as_array().map(Vec::len), Some(7));
    let policy = &template.resource("ViewerPolicy")["Properties"]["OriginRequestPolicyConfig"];
    let headers = texts(&policy["HeadersConfig"]["Headers"]);
    assert!(headers.len() <= MAX_HEADERS);
    for name in READ_BY_COLLECTOR {
        assert!(headers.iter().any(|header| header == name), "{name}");
    }
    let patterns: Vec<&str> = files.iter().map(|behaviour| text(&behaviour["PathPattern"])).collect();
    for route in ROUTES {
        let matches = |pattern: &&str| {
            let (start, end) = pattern.split_once('*').unwrap();
            route.path.starts_with(start) && route.path.ends_with(end)
        };
        let is_cached = route.function == "tracker" || route.path == "/assets/{name}";
        assert_eq!(patterns.iter().any(matches), is_cached, "{}", route.path);
    }
    for behaviour in files {
        // All methods, as what is refused is refused in the API's own form; and nothing of the client but the encodings
        // that it takes, which are a part of the cache's key.
        assert_eq!(behaviour["AllowedMethods"], collect["AllowedMethods"]);
        assert_eq!(behaviour["CachePolicyId"], reference("ScriptPolicy"));
        let known = ["AllowedMethods", "CachePolicyId", "PathPattern", "ResponseHeadersPolicyId", "TargetOriginId"];
        assert_eq!(fields(behaviour), [&known[..], &["ViewerProtocolPolicy"]].concat());
    }
    let policy = &template.resource("ScriptPolicy")["Properties"]["CachePolicyConfig"];
    let ttls = ["MinTTL", "DefaultTTL", "MaxTTL"].map(|name| policy[name].as_u64().unwrap());
    assert_eq!(ttls, [0, 0, 31_536_000], "as long as an answer says of itself");
    let parameters = json!({
        "EnableAcceptEncodingBrotli": true,
        "EnableAcceptEncodingGzip": true,
        "HeadersConfig": { "HeaderBehavior": "none" },
        "CookiesConfig": { "CookieBehavior": "none" },
        "QueryStringsConfig": { "QueryStringBehavior": "none" },
    });
    assert_eq!(policy["ParametersInCacheKeyAndForwardedToOrigin"], parameters);
    let errors = list(&distribution["CustomErrorResponses"]).into_iter();
    let errors =
        errors.map(|error| (error["ErrorCode"].as_u64().unwrap(), error["ErrorCachingMinTTL"].as_u64().unwrap()));
    assert_eq!(errors.collect::<Vec<_>>(), [404, 500, 502, 503, 504].map(|status| (status, 0)));
    let [origin] = &list(&distribution["Origins"])[..] else { panic!("one origin") };
    let [secret] = &list(&origin["OriginCustomHeaders"])[..] else { panic!("one header") };
    assert!(text(&secret["HeaderName"]).eq_ignore_ascii_case(shared::origin::HEADER));
    assert_eq!(secret["HeaderValue"], reference("OriginSecret"));
    // It names the API, whose routes name the functions: so they know a new secret before CloudFront sends it.
    assert!(text(&origin["DomainName"]["Fn::Sub"]).contains("${Api}"));
}

#[test]
fn browsers_are_told_to_come_over_tls_alone() {
    let template = Template::read();
    let distribution = &template.resource("Distribution")["Properties"]["DistributionConfig"];
    let behaviours = list(&distribution["CacheBehaviors"]).into_iter().chain([&distribution["DefaultCacheBehavior"]]);
    for behaviour in behaviours {
        assert_eq!(behaviour["ResponseHeadersPolicyId"], reference("TransportPolicy"), "{behaviour}");
    }
    let policy = &template.resource("TransportPolicy")["Properties"]["ResponseHeadersPolicyConfig"];
    let transport = &policy["SecurityHeadersConfig"]["StrictTransportSecurity"];
    assert_eq!(transport["AccessControlMaxAgeSec"], 31_536_000);
    assert_eq!(transport["IncludeSubdomains"], false, "other hosts are not this stack's");
}

#[test]
fn every_alarm_is_heard() {
    let template = Template::read();
    let alarms = template.resources_of(&["AWS::CloudWatch::Alarm"]);
    assert!(!alarms.is_empty());
    let topic = json!({ "Fn::If": ["HasAlarmTopic", reference("AlarmTopicArn"), reference("AlarmTopic")] });
    for (id, alarm) in alarms {
        assert_eq!(alarm["Condition"], "HasAlarms", "{id}");
        assert_eq!(alarm["Properties"]["AlarmActions"], json!([topic]), "{id}");
        assert_eq!(alarm["Properties"]["TreatMissingData"], "notBreaching", "{id}");
    }
}

/// Each metric of an alarm costs ten cents a month, which docs/deployment.md adds up.
#[test]
fn what_costs_money_and_who_is_turned_away_is_watched() {
    let template = Template::read();
    let mut watched = BTreeSet::new();
    let mut count = 0;
    for (id, alarm) in template.resources_of(&["AWS::CloudWatch::Alarm"]) {
        let properties = &alarm["Properties"];
        let metrics: Vec<(&Value, &Value)> = match properties.get("Metrics") {
            None => vec![(&properties["Namespace"], &properties["MetricName"])],
            Some(metrics) => {
                let metrics = list(metrics).into_iter().filter_map(|metric| metric.get("MetricStat"));
                metrics.map(|metric| (&metric["Metric"]["Namespace"], &metric["Metric"]["MetricName"])).collect()
            }
        };
        assert!(!metrics.is_empty() && metrics.len() <= 10, "{id}");
        count += metrics.len();
        watched.extend(metrics.into_iter().map(|(namespace, name)| (text(namespace), text(name))));
    }
    assert_eq!(count, 15, "docs/deployment.md says 1.50 a month");
    for metric in [
        ("AWS/ApiGateway", "4xx"),
        ("AWS/DynamoDB", "ConsumedReadCapacityUnits"),
        ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"),
        ("AWS/DynamoDB", "ReadThrottleEvents"),
        ("AWS/DynamoDB", "WriteThrottleEvents"),
        ("AWS/Lambda", "IteratorAge"),
        ("identity-api", "ReconciliationAge"),
        ("identity-api", "UnitsOfDay"),
        ("identity-api", "RefusedBatches"),
    ] {
        assert!(watched.contains(&metric), "{metric:?}");
    }
}
