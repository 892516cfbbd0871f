//! People: how they get in, what they may do, and that nobody else may.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use figures::table::keys;
use figures::table::store::{Consistency, Consumed, EXPIRES, Item, number, read_number, text};
use futures::future::join_all;
use identity::server::Functions;
use lambda_http::Body;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shared::app::App;
use shared::auth::{KeyKind, Role};
use shared::routes::{Answers, ROUTES};
use tests::clock::now;
use tests::example::page_view;
use tests::formats::all_items;
use tests::http::{Response, get, send};
use tests::people::{Browser, authorization, invitation, set, sha256};
use tests::stack::{Counting, Project, Stack};
use tests::tracker::{Tracker, keyed};

const DAY_SECS: i64 = 86_400;

/// Each path of management with a method that it takes, and whether that changes something.
fn managed() -> Vec<(Method, String, bool)> {
    let routes = ROUTES.iter().filter(|route| matches!(route.answers, Answers::Managed(_)));
    let methods = routes.flat_map(|route| route.methods().map(move |method| (method, route.path)));
    methods
        .map(|(method, path)| {
            let path = path.strip_prefix("/manage/v1/").unwrap().replace("{id}", "000000000000");
            (method.parse().unwrap(), path, !["GET", "HEAD"].contains(&method))
        })
        .collect()
}

async fn expire(stack: &Stack, key: &keys::Key, at: i64) {
    set(stack.store(), key, |item: &mut Item| {
        item.insert(EXPIRES.to_owned(), number(at));
    })
    .await;
}

fn ids(answer: &Response) -> BTreeSet<String> {
    let rows = answer.ok()["data"].as_array().unwrap().clone();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// All that is stored, but for what every request changes: buckets, and when they were last used.
async fn stored(stack: &Stack) -> Vec<String> {
    let mut items = all_items(stack.store()).await;
    for item in &mut items {
        for name in ["tat", "used_at", EXPIRES] {
            item.remove(name);
        }
    }
    let mut items: Vec<String> = items.iter().map(|item| format!("{:?}", BTreeMap::from_iter(item))).collect();
    items.sort_unstable();
    items
}

#[tokio::test]
async fn an_invitation_lets_in_once_and_for_a_while() {
    let stack = Stack::start(Counting::ByTest).await;
    let token = invitation(stack.store(), "ana", Role::Admin, &[]).await;
    let mut browser = Browser::new(&stack);
    let answer = browser.sign_in(&token).await;
    let person = answer.ok()["data"].clone();
    assert_eq!(
        (&person["label"], &person["role"], &person["projects"]),
        (&json!("ana"), &json!("admin"), &json!(null))
    );
    let cookie = browser.cookie.clone().unwrap();
    assert_eq!(
        answer.header("set-cookie"),
        format!("identity={cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000")
    );
    let me = browser.look("me").await;
    assert_eq!(me.ok()["data"]["id"], person["id"]);
    assert_eq!(me.header("set-cookie"), answer.header("set-cookie"), "the browser's copy is prolonged, too");

    // Used, guessed, malformed, too old.
    for token in [token.as_str(), &"a".repeat(43), "", &format!("{token}a"), "../../KEY", &cookie] {
        browser.sign_in(token).await.error(401, "unauthorized");
    }
    let old = invitation(stack.store(), "ana", Role::Admin, &[]).await;
    let key = keys::invitation(&sha256(&old));
    let stored = stack.store().get(&key, Consistency::Strong).await.unwrap().unwrap();
    let minutes = (read_number::<i64>(&stored, EXPIRES).unwrap() - now() / 1000 + 30) / 60;
    assert_eq!(minutes, 15);
    expire(&stack, &key, now() / 1000).await;
    Browser::new(&stack).sign_in(&old).await.error(401, "unauthorized");
    for body in [json!({}), json!({ "token": 1 }), json!([]), json!("x")] {
        Browser::new(&stack).change(Method::POST, "sign-in", &body).await.error(400, "invalid_body");
    }

    // Many at the same time: one of them is let in.
    let contested = invitation(stack.store(), "bo", Role::Viewer, &[]).await;
    let tries = join_all((0..8).map(|_| {
        let mut browser = Browser::new(&stack);
        let token = contested.clone();
        async move { browser.sign_in(&token).await.status.as_u16() }
    }));
    let mut statuses = tries.await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_person_reads_what_a_key_reads_by_the_same_rules() {
    let stack = Stack::start(Counting::ByStream).await;
    let (project, other) = (stack.project().await, stack.project().await);
    let sent = page_view("v_1", "ses_1", "b_1", now() - 1_000);
    send(Tracker::default().post(&stack, &keyed(&sent, &project.public_key))).await;
    stack.counted(&project.id, &[sent]).await;
    let viewer = Browser::of(&stack, "vera", Role::Viewer, &[&project.id]).await;
    let admin = Browser::of(&stack, "ana", Role::Admin, &[]).await;
    for route in ROUTES.iter().filter(|route| route.reads_a_project()) {
        let path = route.resource().replace("{visitor_id}", "v_1").replace("{session_id}", "ses_1");
        let by_key = get(&stack.at(&path), &project.secret_key).await;
        for browser in [&viewer, &admin] {
            let by_cookie = browser.read(&path, &project.id).await;
            assert_eq!(by_cookie.ok(), by_key.ok(), "{path}");
            assert_eq!(by_cookie.header("ratelimit-policy"), "\"default\";q=600;w=60");
            assert!(by_cookie.header("access-control-allow-origin").is_empty());
        }
        // Another's data, and none at all, in the same words.
        let forbidden = viewer.read(&path, &other.id).await.error(404, "not_found");
        for unknown in ["nobody", "x/y", "%"] {
            let request = |browser: &Browser| {
                browser.request(Method::GET, &format!("/api/v1/{path}")).header("identity-project", unknown)
            };
            assert_eq!(send(request(&viewer)).await.error(404, "not_found"), forbidden, "{path} {unknown}");
            assert_eq!(send(request(&admin)).await.error(404, "not_found"), forbidden, "{path} {unknown}");
        }
    }
    let read = |browser: &Browser| browser.request(Method::GET, "/api/v1/stats?start_date=never");
    let unnamed = send(read(&viewer)).await;
    assert!(unnamed.error(400, "invalid_parameter").contains("Identity-Project"));
    assert!(!unnamed.header("ratelimit").is_empty(), "it took its token");
    send(read(&viewer).header("identity-project", project.id.as_str())).await.error(400, "invalid_date");
    // A key wins, good or bad.
    let named = |request: RequestBuilder| request.header("identity-project", project.id.as_str());
    let both = viewer.request(Method::GET, "/api/v1/stats");
    let both = |key: &str| send(named(both.try_clone().unwrap()).bearer_auth(key));
    assert_eq!(both(&other.secret_key).await.ok()["data"]["total_visitors"], 0);
    both("sk_live_wrong").await.error(401, "unauthorized");
    for site in ["cross-site", "same-site", "none"] {
        let foreign = named(viewer.request(Method::GET, "/api/v1/stats")).header("sec-fetch-site", site);
        send(foreign).await.error(401, "unauthorized");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_viewer_looks_and_manages_nothing() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let viewer = Browser::of(&stack, "vera", Role::Viewer, &[&project.id]).await;
    let me = viewer.look("me").await.ok();
    let visible = json!([{ "id": project.id.as_str(), "name": project.id.as_str() }]);
    assert_eq!((&me["data"]["role"], &me["data"]["visible_projects"]), (&json!("viewer"), &visible));
    let before = all_items(stack.store()).await.len();
    for (method, path, changes) in managed() {
        if ["me", "sign-in", "sign-out"].contains(&path.as_str()) || method == Method::HEAD {
            continue;
        }
        let body = json!({ "project": project.id.as_str(), "kind": "secret", "id": "new", "label": "x" });
        let answer = match changes {
            true => viewer.change(method, &path, &body).await,
            false => viewer.look(&format!("{path}?project={}", project.id)).await,
        };
        answer.error(403, "forbidden");
    }
    assert_eq!(all_items(stack.store()).await.len(), before);
    stack.shutdown().await;
}

#[tokio::test]
async fn nobody_manages_without_a_cookie_or_by_a_key() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let stranger = Browser::new(&stack);
    let guessing = Browser { cookie: Some("a".repeat(43)), ..stranger.clone() };
    let malformed = Browser { cookie: Some(project.secret_key.clone()), ..stranger.clone() };
    for (method, path, _) in
        managed().into_iter().filter(|(method, path, _)| path != "sign-in" && method != Method::HEAD)
    {
        for browser in [&stranger, &guessing, &malformed] {
            let request = browser.request(method.clone(), &format!("/manage/v1/{path}"));
            let request = request.header("sec-fetch-site", "same-origin").json(&json!({}));
            send(request.try_clone().unwrap()).await.error(401, "unauthorized");
            send(request.bearer_auth(&project.secret_key)).await.error(401, "unauthorized");
        }
    }
    stack.shutdown().await;
}

/// What a page of another site can make a signed-in browser send, were the cookie not kept from it: forms, simple requests, and
/// what scripts send across origins.
#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let admin = Browser::of(&stack, "ana", Role::Admin, &[]).await;
    let key = admin.change(Method::POST, "keys", &json!({ "project": project.id.as_str(), "kind": "secret" })).await;
    let id = key.json()["data"]["id"].as_str().unwrap().to_owned();
    let before = stored(&stack).await;
    let body = json!({ "project": project.id.as_str(), "kind": "secret", "id": "new", "label": "x", "name": "x" });
    let mut tried = 0;
    for (method, path, changes) in managed() {
        if path == "sign-in" || method == Method::HEAD {
            continue;
        }
        let path = path.replace("000000000000", &id);
        let request = || admin.request(method.clone(), &format!("/manage/v1/{path}"));
        let json = |request: RequestBuilder| request.header("content-type", "application/json").body(body.to_string());
        let own = stack.origin();
        let mut foreign = vec![
            json(request().header("sec-fetch-site", "cross-site").header("origin", "https://evil.example")),
            json(request().header("sec-fetch-site", "same-site").header("origin", "http://127.0.0.1:1")),
            json(request().header("sec-fetch-site", "none")),
        ];
        if changes {
            foreign.extend([
                json(request()),
                json(request().header("origin", "https://evil.example")),
                json(request().header("origin", "null")),
                json(request().header("origin", format!("{own}.evil.example"))),
                request().header("sec-fetch-site", "same-origin").header("origin", &own).body(body.to_string()),
            ]);
            for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
                let form = request().header("sec-fetch-site", "same-origin").header("content-type", kind);
                foreign.push(form.body(body.to_string()));
            }
        }
        for request in foreign {
            send(request).await.error(403, "forbidden");
            tried += 1;
        }
        // Nobody is told that another origin may ask.
        let preflight =
            admin.request(Method::OPTIONS, &format!("/manage/v1/{path}")).header("origin", "https://evil.example");
        assert_eq!(send(preflight).await.header("access-control-allow-origin"), "");
    }
    assert!(tried > 80, "{tried}");
    assert_eq!(stored(&stack).await, before);
    get(&stack.at("stats"), key.json()["data"]["key"].as_str().unwrap()).await.ok();
    // A browser that does not say the site, but the origin.
    let old = admin.request(Method::POST, "/manage/v1/keys").header("origin", stack.origin());
    let made = send(old.json(&json!({ "project": project.id.as_str(), "kind": "public" }))).await;
    assert_eq!(made.status, 201);
    stack.shutdown().await;
}

#[tokio::test]
async fn keys_are_made_used_rotated_and_revoked() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let admin = Browser::of(&stack, "ana", Role::Admin, &[&project.id]).await;
    let list = format!("keys?project={}", project.id);
    let before = ids(&admin.look(&list).await);
    assert_eq!(before.len(), 2);
    let body = json!({ "project": project.id.as_str(), "kind": "secret", "label": " reports ", "rate_limit": 2.0 });
    let made = admin.change(Method::POST, "keys", &body).await;
    assert_eq!(made.status, 201);
    let row = made.json()["data"].clone();
    let (id, key) = (row["id"].as_str().unwrap().to_owned(), row["key"].as_str().unwrap().to_owned());
    assert_eq!((&row["label"], &row["rate_limit"], &row["last_used_at"]), (&json!("reports"), &json!(2), &json!(null)));
    assert_eq!(row["hint"], key[..12]);
    let listed = |id: &str, answer: &Response| {
        let rows = answer.ok()["data"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["id"] == id)
    };
    let seen = listed(&id, &admin.look(&list).await).unwrap();
    assert_eq!(seen.get("key"), None, "it is shown once");
    for (name, value) in seen.as_object().unwrap() {
        assert_eq!(value, &row[name]);
    }
    let first = get(&stack.at("stats"), &key).await;
    first.ok();
    assert_eq!(first.header("ratelimit-policy"), "\"default\";q=2;w=60");
    let used = listed(&id, &admin.look(&list).await).unwrap()["last_used_at"].as_i64().unwrap();
    assert!((now() - 60_000..=now()).contains(&used));

    let rotated = admin.change(Method::POST, &format!("keys/{id}/rotate"), &json!({})).await;
    assert_eq!(rotated.status, 201);
    let new = rotated.json()["data"].clone();
    assert_eq!((&new["label"], &new["rate_limit"], &new["kind"]), (&row["label"], &row["rate_limit"], &row["kind"]));
    get(&stack.at("stats"), &key).await.error(401, "unauthorized");
    get(&stack.at("stats"), new["key"].as_str().unwrap()).await.ok();
    admin.change(Method::POST, &format!("keys/{id}/rotate"), &json!({})).await.error(404, "not_found");

    let id = new["id"].as_str().unwrap();
    assert_eq!(admin.change(Method::DELETE, &format!("keys/{id}"), &json!({})).await.status, 204);
    get(&stack.at("stats"), new["key"].as_str().unwrap()).await.error(401, "unauthorized");
    admin.change(Method::DELETE, &format!("keys/{id}"), &json!({})).await.error(404, "not_found");
    assert_eq!(ids(&admin.look(&list).await), before);
    // The beginning of an identifier is none, and neither is a longer one.
    for part in ["", "0", &before.iter().next().unwrap()[..11], &format!("{}0", before.iter().next().unwrap())] {
        if !part.is_empty() {
            admin.change(Method::DELETE, &format!("keys/{part}"), &json!({})).await.error(404, "not_found");
        }
    }

    for (body, code) in [
        (json!({ "project": project.id.as_str(), "kind": "other" }), "invalid_body"),
        (json!({ "project": project.id.as_str() }), "invalid_body"),
        (json!({ "kind": "secret" }), "invalid_body"),
        (json!({ "project": project.id.as_str(), "kind": "secret", "rate_limit": 0 }), "invalid_body"),
        (json!({ "project": project.id.as_str(), "kind": "secret", "rate_limit": 60_000_001 }), "invalid_body"),
        (json!({ "project": project.id.as_str(), "kind": "secret", "rate_limit": 1.5 }), "invalid_body"),
        (json!({ "project": project.id.as_str(), "kind": "public", "rate_limit": 5 }), "invalid_body"),
        (json!({ "project": project.id.as_str(), "kind": "public", "label": "a\nb" }), "invalid_body"),
        (json!({ "project": project.id.as_str(), "kind": "public", "label": "x".repeat(101) }), "invalid_body"),
        (json!({ "project": project.id.as_str(), "kind": "public", "unknown": 1 }), "invalid_body"),
        (json!([]), "invalid_body"),
        (json!([project.id.as_str(), "public", null, null]), "invalid_body"),
    ] {
        admin.change(Method::POST, "keys", &body).await.error(400, code);
    }
    let large = json!({ "project": "x".repeat(64 << 10), "kind": "public" });
    admin.change(Method::POST, "keys", &large).await.error(413, "payload_too_large");
    admin.look("keys").await.error(400, "invalid_parameter");
    stack.shutdown().await;
}

#[tokio::test]
async fn projects_are_created_and_changed_by_those_who_may() {
    let stack = Stack::start(Counting::ByTest).await;
    let other = stack.project().await;
    let admin = Browser::of(&stack, "ana", Role::Admin, &[]).await;
    let body =
        json!({ "id": "shop", "name": "Web shop", "hosts": ["WWW.Shop.example"], "origins": ["https://Shop.example"] });
    let made = admin.change(Method::POST, "projects", &body).await;
    assert_eq!(made.status, 201);
    let project = made.json()["data"].clone();
    assert_eq!((&project["hosts"], &project["origins"]), (&json!(["shop.example"]), &json!(["https://shop.example"])));
    admin.change(Method::POST, "projects", &body).await.error(409, "conflict");
    assert!(ids(&admin.look("projects").await).contains("shop"));

    // What else its item holds stays, whoever wrote it.
    set(stack.store(), &keys::project(&"shop".parse().unwrap()), |item| {
        item.insert("erasure_key".to_owned(), number(7));
    })
    .await;
    let changed = admin.change(Method::PATCH, "projects/shop", &json!({ "hosts": ["a.example", "b.example"] })).await;
    let expected = json!({ "id": "shop", "name": "Web shop", "hosts": ["a.example", "b.example"],
        "origins": ["https://shop.example"], "retention_days": null, "created_at": project["created_at"] });
    assert_eq!(changed.ok()["data"], expected);
    assert_eq!(admin.change(Method::PATCH, "projects/shop", &json!({})).await.ok()["data"], expected);
    let shorter = admin.change(Method::PATCH, "projects/shop", &json!({ "retention_days": 30 })).await.ok();
    assert_eq!((&shorter["data"]["retention_days"], &shorter["data"]["name"]), (&json!(30), &json!("Web shop")));
    // Other languages' JSON tells an integer as it tells any number.
    let longer = admin.change(Method::PATCH, "projects/shop", &json!({ "retention_days": 31.0 })).await.ok();
    assert_eq!(longer["data"]["retention_days"], json!(31));
    let cleared = admin.change(Method::PATCH, "projects/shop", &json!({ "origins": [], "name": "S" })).await.ok();
    assert_eq!(cleared["data"]["retention_days"], 31);
    assert_eq!((&cleared["data"]["origins"], &cleared["data"]["name"]), (&json!([]), &json!("S")));
    let stored =
        stack.store().get(&keys::project(&"shop".parse().unwrap()), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!(read_number::<i64>(&stored, "erasure_key").unwrap(), 7);
    admin.change(Method::PATCH, "projects/nobody", &json!({ "name": "x" })).await.error(404, "not_found");
    for body in [
        json!({ "name": "" }),
        json!({ "name": " " }),
        json!({ "name": "x".repeat(101) }),
        json!({ "hosts": ["https://shop.example"] }),
        json!({ "hosts": "shop.example" }),
        json!({ "hosts": vec!["a.example"; 101] }),
        json!({ "retention_days": 29 }),
        json!({ "retention_days": -1 }),
        json!({ "retention_days": "30" }),
        json!({ "retention_days": 30.5 }),
        json!({ "retention_days": 1e300 }),
        json!({ "origins": ["shop.example"] }),
        json!({ "origins": [format!("https://{}", "x".repeat(300))] }),
        json!({ "hots": [] }),
    ] {
        admin.change(Method::PATCH, "projects/shop", &body).await.error(400, "invalid_body");
    }
    for id in ["", "a b", "a/b", &"x".repeat(129)] {
        admin.change(Method::POST, "projects", &json!({ "id": id })).await.error(400, "invalid_body");
    }

    let limited = Browser::of(&stack, "lea", Role::Admin, &[&other.id]).await;
    assert_eq!(ids(&limited.look("projects").await), BTreeSet::from([other.id.as_str().to_owned()]));
    limited.change(Method::POST, "projects", &json!({ "id": "mine" })).await.error(403, "forbidden");
    limited.change(Method::PATCH, "projects/shop", &json!({ "name": "x" })).await.error(404, "not_found");
    limited.look("keys?project=shop").await.error(404, "not_found");
    let key = json!({ "project": "shop", "kind": "secret" });
    limited.change(Method::POST, "keys", &key).await.error(404, "not_found");
    let id = admin.change(Method::POST, "keys", &key).await.json()["data"]["id"].as_str().unwrap().to_owned();
    limited.change(Method::DELETE, &format!("keys/{id}"), &json!({})).await.error(404, "not_found");
    limited.change(Method::POST, &format!("keys/{id}/rotate"), &json!({})).await.error(404, "not_found");
    stack.shutdown().await;
}

#[tokio::test]
async fn people_are_let_in_and_shut_out_by_those_who_see_as_much() {
    let stack = Stack::start(Counting::ByTest).await;
    let (one, two) = (stack.project().await, stack.project().await);
    let admin = Browser::of(&stack, "ana", Role::Admin, &[]).await;
    let limited = Browser::of(&stack, "lea", Role::Admin, &[&one.id]).await;
    let viewer = Browser::of(&stack, "vera", Role::Viewer, &[&one.id]).await;
    let labels = |answer: &Response| -> Vec<String> {
        let rows = answer.ok()["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["label"].as_str().unwrap().to_owned()).collect()
    };
    viewer.look("me").await.ok();
    limited.look("me").await.ok();
    let seen = admin.look("people").await;
    assert_eq!(labels(&seen), ["ana", "lea", "vera"], "the latest first");
    let row = seen.json()["data"][1].clone();
    assert_eq!((&row["role"], &row["projects"]), (&json!("admin"), &json!([one.id.as_str()])));
    assert!((now() - 60_000..=now()).contains(&row["last_seen_at"].as_i64().unwrap()));
    assert_eq!(labels(&limited.look("people").await), ["lea", "vera"]);

    // Nobody gives more than they have.
    let invite = async |browser: &Browser, body: Value| browser.change(Method::POST, "people", &body).await;
    for projects in
        [json!([two.id.as_str()]), json!([one.id.as_str(), two.id.as_str()]), json!(["nobody"]), json!(["a b"])]
    {
        invite(&limited, json!({ "label": "x", "projects": projects })).await.error(404, "not_found");
    }
    invite(&limited, json!({ "label": "x" })).await.error(403, "forbidden");
    invite(&limited, json!({ "label": "x", "projects": null })).await.error(403, "forbidden");
    invite(&admin, json!({ "label": "x", "projects": ["nobody"] })).await.error(404, "not_found");
    for body in [
        json!({}),
        json!({ "label": "" }),
        json!({ "label": "a\u{7}" }),
        json!({ "label": "x", "role": "owner" }),
        json!({ "label": "x", "projects": [] }),
        json!({ "label": "x", "projects": "shop" }),
        json!({ "label": "x", "projects": vec!["shop"; 21] }),
        json!({ "label": "x\u{202e}" }),
        json!({ "label": "x\u{2028}y" }),
    ] {
        invite(&admin, body).await.error(400, "invalid_body");
    }
    let invited = invite(&limited, json!({ "label": "bo", "projects": [one.id.as_str(), one.id.as_str()] })).await;
    assert_eq!(invited.status, 201);
    let data = invited.json()["data"].clone();
    assert_eq!((&data["role"], &data["projects"]), (&json!("viewer"), &json!([one.id.as_str()])));
    let link = data["link"].as_str().unwrap();
    let token = link.strip_prefix(&format!("{}/#/sign-in/", stack.origin())).unwrap();
    let mut bo = Browser::new(&stack);
    bo.sign_in(token).await.ok();
    bo.read("stats", &one.id).await.ok();

    // Taken away at once, also from an instance that knows the cookie.
    let id = |label: &str, answer: &Response| {
        let rows = answer.ok()["data"].as_array().unwrap().clone();
        let found = rows.iter().find(|row| row["label"] == label).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let of_ana = id("ana", &admin.look("people").await);
    limited.change(Method::DELETE, &format!("people/{of_ana}"), &json!({})).await.error(404, "not_found");
    let of_bo = id("bo", &limited.look("people").await);
    assert_eq!(limited.change(Method::DELETE, &format!("people/{of_bo}"), &json!({})).await.status, 204);
    bo.read("stats", &one.id).await.error(401, "unauthorized");
    bo.look("me").await.error(401, "unauthorized");
    limited.change(Method::DELETE, &format!("people/{of_bo}"), &json!({})).await.error(404, "not_found");

    let out = viewer.change(Method::POST, "sign-out", &json!({})).await;
    assert_eq!(out.status, 204);
    assert_eq!(out.header("set-cookie"), "identity=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    viewer.read("stats", &one.id).await.error(401, "unauthorized");
    viewer.look("me").await.error(401, "unauthorized");
    assert_eq!(labels(&limited.look("people").await), ["lea"]);
    stack.shutdown().await;
}

#[tokio::test]
async fn access_that_is_not_used_ends_and_use_prolongs_it() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let admin = Browser::of(&stack, "ana", Role::Admin, &[]).await;
    let idle = Browser::of(&stack, "ida", Role::Viewer, &[]).await;
    let expiry = async |browser: &Browser| {
        let key = authorization(browser.cookie.as_ref().unwrap());
        let item = stack.store().get(&key, Consistency::Strong).await.unwrap().unwrap();
        read_number::<i64>(&item, EXPIRES).unwrap() - now() / 1000
    };
    expire(&stack, &authorization(admin.cookie.as_ref().unwrap()), now() / 1000 + 60).await;
    admin.read("stats", &project.id).await.ok();
    assert!((30 * DAY_SECS - 60..=30 * DAY_SECS).contains(&expiry(&admin).await));

    // Known to this instance, and over: DynamoDB removes its item within days.
    idle.read("stats", &project.id).await.ok();
    let key = authorization(idle.cookie.as_ref().unwrap());
    expire(&stack, &key, now() / 1000 - 1).await;
    idle.read("stats", &project.id).await.error(401, "unauthorized");
    idle.look("me").await.error(401, "unauthorized");
    let stranger = Stack::start_through(&stack, &stack.endpoint_url()).await;
    let elsewhere = Browser { cookie: idle.cookie.clone(), ..Browser::new(&stranger) };
    elsewhere.read("stats", &project.id).await.error(401, "unauthorized");
    stranger.shutdown().await;
    assert!(expiry(&idle).await < 0, "it was not prolonged");
    assert_eq!(admin.look("people").await.ok()["data"].as_array().unwrap().len(), 1);
    // The next invitation clears it away, once it is not a sign-in that is under way.
    set(stack.store(), &keys::person(&sha256(idle.cookie.as_ref().unwrap())), |item| {
        item.insert("created_at".to_owned(), number(now() - 61_000));
    })
    .await;
    admin.change(Method::POST, "people", &json!({ "label": "x" })).await;
    let gone = sha256(idle.cookie.as_ref().unwrap());
    for key in [keys::api_key(&gone), keys::person(&gone)] {
        assert!(stack.store().get(&key, Consistency::Strong).await.unwrap().is_none());
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_person_has_a_bucket_of_their_own() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let (one, other) =
        (Browser::of(&stack, "a", Role::Admin, &[]).await, Browser::of(&stack, "b", Role::Admin, &[]).await);
    set(stack.store(), &authorization(one.cookie.as_ref().unwrap()), |item| {
        item.insert("limit".to_owned(), number(2));
    })
    .await;
    one.read("stats", &project.id).await.ok();
    let key = json!({ "project": project.id.as_str(), "kind": "secret" });
    assert_eq!(one.change(Method::POST, "keys", &key).await.status, 201, "reading and managing take from one bucket");
    let count = all_items(stack.store()).await.len();
    for answer in [one.read("stats", &project.id).await, one.change(Method::POST, "keys", &key).await] {
        answer.error(429, "rate_limited");
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=2;w=60");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    assert_eq!(all_items(stack.store()).await.len(), count, "nothing is made without a token");
    other.read("stats", &project.id).await.ok();
    stack.shutdown().await;
}

#[tokio::test]
async fn a_link_is_worth_nothing_once_its_maker_is_shut_out() {
    let stack = Stack::start(Counting::ByTest).await;
    let admin = Browser::of(&stack, "ana", Role::Admin, &[]).await;
    let stolen = Browser::of(&stack, "stolen", Role::Admin, &[]).await;
    let made = async || {
        let answer = stolen.change(Method::POST, "people", &json!({ "label": "x", "role": "admin" })).await;
        let link = answer.json()["data"]["link"].as_str().unwrap().to_owned();
        link.rsplit('/').next().unwrap().to_owned()
    };
    let (first, second) = (made().await, made().await);
    Browser::new(&stack).sign_in(&first).await.ok();
    let id = stolen.look("me").await.ok()["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(admin.change(Method::DELETE, &format!("people/{id}"), &json!({})).await.status, 204);
    Browser::new(&stack).sign_in(&second).await.error(401, "unauthorized");
    stack.shutdown().await;
}

#[tokio::test]
async fn opening_another_link_ends_what_the_browser_had() {
    let stack = Stack::start(Counting::ByTest).await;
    let mut browser = Browser::of(&stack, "ana", Role::Admin, &[]).await;
    let before = browser.clone();
    let token = invitation(stack.store(), "ana again", Role::Viewer, &[]).await;
    browser.sign_in(&token).await.ok();
    before.look("me").await.error(401, "unauthorized");
    assert_eq!(browser.look("me").await.ok()["data"]["label"], "ana again");
    stack.shutdown().await;
}

/// A leaked key is used all the time.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_in_use_is_rotated_once_and_revoked() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let admin = Browser::of(&stack, "ana", Role::Admin, &[]).await;
    let key = stack.key(&project.id, KeyKind::Secret, Some(1_000_000)).await;
    let (id, url) = (sha256(&key)[..12].to_owned(), stack.at("live"));
    let users: Vec<_> = (0..8)
        .map(|_| {
            let (url, key) = (url.clone(), key.clone());
            tokio::spawn(async move {
                loop {
                    let answer = get(&url, &key).await;
                    match answer.status.as_u16() {
                        200 => {}
                        401 => break,
                        _ => panic!("{answer:?}"),
                    }
                }
            })
        })
        .collect();
    let rotations = join_all((0..4).map(|_| {
        let (admin, path) = (admin.clone(), format!("keys/{id}/rotate"));
        async move { admin.change(Method::POST, &path, &json!({})).await.status.as_u16() }
    }));
    let statuses = rotations.await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 404, 409].contains(status)), "{statuses:?}");
    for user in users {
        user.await.unwrap();
    }
    let rows = admin.look(&format!("keys?project={}", project.id)).await.ok();
    let hint = |row: &&Value| row["rate_limit"] == 1_000_000;
    assert_eq!(rows["data"].as_array().unwrap().iter().filter(hint).count(), 2, "the project's own, and the new one");
    stack.shutdown().await;
}

/// What can't be read, such as what a newer version wrote, stands in nobody's way.
#[tokio::test]
async fn an_unreadable_item_is_left_out() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let admin = Browser::of(&stack, "ana", Role::Admin, &[]).await;
    let limited = Browser::of(&stack, "lea", Role::Admin, &[&project.id]).await;
    let odd = Browser::of(&stack, "odd", Role::Viewer, &[]).await;
    let hash = sha256(odd.cookie.as_ref().unwrap());
    set(stack.store(), &keys::api_key(&hash), |item| {
        item.insert("role".to_owned(), text("owner"));
    })
    .await;
    set(stack.store(), &keys::project(&"nameless".parse().unwrap()), |_| {}).await;
    set(stack.store(), &keys::project_key(&project.id, &"0".repeat(64)), |_| {}).await;
    for browser in [&admin, &limited] {
        browser.look("me").await.ok();
        browser.look("projects").await.ok();
        assert_eq!(ids(&browser.look(&format!("keys?project={}", project.id)).await).len(), 2);
        let people = browser.look("people").await.ok();
        assert!(people["data"].as_array().unwrap().iter().all(|row| row["label"] != "odd"));
    }
    odd.look("me").await.error(500, "internal_error");
    // Only who may do everything shuts out whose rights are unknown.
    let path = format!("people/{}", &hash[..12]);
    limited.change(Method::DELETE, &path, &json!({})).await.error(404, "not_found");
    assert_eq!(admin.change(Method::DELETE, &path, &json!({})).await.status, 204);
    stack.shutdown().await;
}

/// One instance of each function: what a request consumed.
async fn consumed(
    functions: &Functions,
    method: &str,
    path: &str,
    cookie: &str,
    project: &str,
    body: Value,
) -> Consumed {
    let (mut parts, _) = lambda_http::Request::new(Body::Empty).into_parts();
    (parts.method, parts.uri) = (method.parse().unwrap(), path.parse().unwrap());
    for (name, value) in [
        ("cookie", format!("identity={cookie}").as_str()),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/json"),
        ("host", "127.0.0.1"),
        ("identity-project", project),
    ] {
        parts.headers.insert(lambda_http::http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    let request = lambda_http::Request::from_parts(parts, Body::Text(body.to_string()));
    let response = functions.answer(&request).await;
    assert!(response.status().is_success() || path.ends_with("sign-in"), "{path}: {response:?}");
    *response.extensions().get::<Consumed>().unwrap()
}

/// What docs/architecture.md says.
#[tokio::test]
async fn a_signed_in_request_costs_what_a_keys_does() {
    let stack = Stack::start(Counting::ByTest).await;
    let project = stack.project().await;
    let (id, cookie) = (project.id.as_str(), Browser::of(&stack, "ana", Role::Admin, &[]).await.cookie.unwrap());
    let functions = Functions::new(Arc::new(App::new(stack.store().clone()).on_loopback()));
    let ask = async |method: &str, path: &str, body: Value| consumed(&functions, method, path, &cookie, id, body).await;
    let read = async || ask("GET", "/api/v1/stats", Value::Null).await;
    let (first, second) = (read().await, read().await);
    assert_eq!((first.write_units, second.write_units), (1.0, 1.0));
    assert_eq!(first.read_units - second.read_units, 2.0, "the cookie's item and the project's");
    let mut request = lambda_http::Request::new(Body::Empty);
    *request.uri_mut() = "/api/v1/stats".parse().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", project.secret_key).parse().unwrap());
    functions.answer(&request).await;
    let by_key = *functions.answer(&request).await.extensions().get::<Consumed>().unwrap();
    assert_eq!((second.read_units, second.calls), (by_key.read_units, by_key.calls));

    let key = json!({ "project": id, "kind": "secret" });
    assert_eq!(ask("POST", "/manage/v1/keys", key).await.write_units, 1.0 + 4.0);
    let made = shared::api_keys::list(stack.store(), &project.id, "").await.unwrap().pop().unwrap();
    let rotated = ask("POST", &format!("/manage/v1/keys/{}/rotate", made.id()), json!({})).await;
    assert_eq!(rotated.write_units, 1.0 + 8.0);
    let made = shared::api_keys::list(stack.store(), &project.id, "").await.unwrap().pop().unwrap();
    assert_eq!(ask("DELETE", &format!("/manage/v1/keys/{}", made.id()), json!({})).await.write_units, 1.0 + 2.0);
    assert_eq!(ask("POST", "/manage/v1/people", json!({ "label": "bo" })).await.write_units, 1.0 + 1.0);

    let token = invitation(stack.store(), "bo", Role::Viewer, &[]).await;
    let sign_in =
        async |token: &str| consumed(&functions, "POST", "/manage/v1/sign-in", "", id, json!({ "token": token })).await;
    let accepted = sign_in(&token).await;
    assert_eq!((accepted.write_units, accepted.read_units), (6.0, 1.0));
    let refused = sign_in(&token).await;
    assert_eq!((refused.write_units, refused.read_units), (0.0, 1.0));
    assert_eq!(sign_in("x").await.calls, 0);
    stack.shutdown().await;
}

#[tokio::test]
async fn no_secret_is_stored() {
    let stack = Stack::start(Counting::ByTest).await;
    let Project { id, .. } = stack.project().await;
    let waiting = invitation(stack.store(), "later", Role::Viewer, &[]).await;
    let admin = Browser::of(&stack, "ana", Role::Admin, &[]).await;
    let made = admin.change(Method::POST, "keys", &json!({ "project": id.as_str(), "kind": "secret" })).await.json();
    let cookie = admin.cookie.clone().unwrap();
    let secrets = [waiting, cookie, made["data"]["key"].as_str().unwrap()[12..].to_owned()];
    let stored = format!("{:?}", all_items(stack.store()).await);
    for secret in &secrets {
        assert!(!stored.contains(secret.as_str()));
    }
    stack.shutdown().await;
}
