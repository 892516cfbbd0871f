//! `identity invite`, and the link that `identity dev` prints.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Dev, assert_status, browser, run, stderr, stdout};
use serde_json::{Value, json};

/// Opens a link as the page does, and gives who is signed in and the cookie.
async fn open(dev: &Dev, link: &str) -> (u16, Value, String) {
    let token = link.split("/#/sign-in/").nth(1).unwrap_or_else(|| panic!("{link}"));
    let request = browser().post(format!("{}/manage/v1/sign-in", dev.base)).header("sec-fetch-site", "same-origin");
    let answer = request.json(&json!({ "token": token })).send().await.unwrap();
    let cookie = answer.headers().get("set-cookie").map(|value| value.to_str().unwrap().split(';').next().unwrap());
    let cookie = cookie.unwrap_or_default().to_owned();
    (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["data"].clone(), cookie)
}

#[tokio::test]
async fn the_first_thing_that_is_printed_is_a_link_that_lets_in() {
    let dev = Dev::start(&["--empty"]);
    let link = dev.printed[0].strip_prefix("Dashboard").unwrap().trim();
    assert!(link.starts_with(&format!("{}/#/sign-in/", dev.base)), "{link}");
    let (status, person, cookie) = open(&dev, link).await;
    assert_eq!((status, &person["role"], &person["projects"]), (200, &json!("admin"), &json!(null)));
    let stats = browser().get(format!("{}/api/v1/stats", dev.base)).header("cookie", cookie);
    let stats = stats.header("identity-project", "demo").send().await.unwrap();
    assert_eq!(stats.status(), 200);
    assert_eq!(open(&dev, link).await.0, 401, "it is good once");
}

#[tokio::test]
async fn somebody_is_invited_to_some_projects() {
    let dev = Dev::start(&["--empty"]);
    let all = dev.run(&["invite", "--label", "ana", "--role", "admin", "--base-url", &dev.base]);
    assert_status(&all, 0);
    let (status, person, _) = open(&dev, stdout(&all).trim()).await;
    assert_eq!(
        (status, &person["label"], &person["role"], &person["projects"]),
        (200, &json!("ana"), &json!("admin"), &json!(null))
    );
    assert_status(&dev.run(&["project", "create", "shop"]), 0);
    let some = dev.run(&["invite", "--label", "Vera, marketing", "--project", "demo", "--project", "shop"]);
    assert_status(&some, 0);
    let link = stdout(&some).trim().to_owned();
    assert!(link.starts_with("http://127.0.0.1:3000/#/sign-in/") && !stderr(&some).contains(&link), "{link}");
    let (status, person, _) = open(&dev, &link).await;
    assert_eq!((status, &person["role"], &person["projects"]), (200, &json!("viewer"), &json!(["demo", "shop"])));

    let unknown = dev.run(&["invite", "--label", "x", "--project", "nobody"]);
    assert_status(&unknown, 1);
    assert!(stderr(&unknown).contains("identity project create nobody"), "{}", stderr(&unknown));
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    for (arguments, said) in [
        (&["invite"][..], "--label"),
        (&["invite", "--label", ""], "1 to 100 characters"),
        (&["invite", "--label", "a\nb"], "1 to 100 characters"),
        (&["invite", "--label", "x", "--role", "owner"], "viewer"),
        (&["invite", "--label", "x", "--base-url", "shop.example"], "https://data.shop.example"),
        (&["invite", "--label", "x", "--base-url", "https://shop.example/page"], "https://data.shop.example"),
        (&["invite", "--label", "x", "--endpoint-url", "https://dynamodb.eu-west-1.amazonaws.com"], "ApiUrl"),
    ] {
        let refused = run(arguments);
        assert_status(&refused, 2);
        assert!(stderr(&refused).contains(said), "{arguments:?}: {}", stderr(&refused));
    }
}
