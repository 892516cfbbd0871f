//! People who are signed in, as their browsers ask.

use figures::ids::ProjectId;
use figures::table::keys::{self, Key};
use figures::table::store::{Item, Store, key_item};
use figures::time::Millis;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::auth::{Access, Projects, Role};
use shared::people;

use crate::clock::now;
use crate::http::{Response, send};
use crate::stack::Stack;

/// The token of an invitation to somebody.
pub async fn invitation(store: &Store, label: &str, role: Role, projects: &[&ProjectId]) -> String {
    let projects = match projects {
        [] => Projects::All,
        projects => Projects::Only(projects.iter().map(|&project| project.clone()).collect()),
    };
    let access = Access { label: label.to_owned(), role, projects };
    let link = people::invite(store, &access, None, Millis(now())).await.unwrap().link("");
    link.rsplit('/').next().unwrap().to_owned()
}

/// The item of a cookie or a key, by its plain text.
pub fn authorization(secret: &str) -> Key {
    keys::api_key(&sha256(secret))
}

/// The SHA-256 of a text, in hexadecimal.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a browser asks for in the name of the page: with or without a cookie.
#[derive(Debug, Clone)]
pub struct Browser {
    /// Scheme, host and port of what it asks.
    pub origin: String,
    /// The cookie's value.
    pub cookie: Option<String>,
}

impl Browser {
    /// One that nobody is signed in with.
    pub fn new(stack: &Stack) -> Self {
        Browser { origin: stack.origin(), cookie: None }
    }

    /// One that somebody is signed in with.
    pub async fn of(stack: &Stack, label: &str, role: Role, projects: &[&ProjectId]) -> Self {
        let mut browser = Browser::new(stack);
        let token = invitation(stack.store(), label, role, projects).await;
        browser.sign_in(&token).await.ok();
        browser
    }

    /// Opens a link, and keeps the cookie if it is good.
    pub async fn sign_in(&mut self, token: &str) -> Response {
        let answer = self.change(Method::POST, "sign-in", &json!({ "token": token })).await;
        let set = answer.header("set-cookie");
        if let Some((_, value)) = set.split(';').next().and_then(|pair| pair.split_once('=')) {
            self.cookie = Some(value.to_owned());
        }
        answer
    }

    /// A request of a path as the page makes it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = Client::new().request(method, format!("{}{path}", self.origin));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("theme=dark; identity={cookie}"));
        }
        request
    }

    /// Reads a path of the API, of a project.
    pub async fn read(&self, path: &str, project: &ProjectId) -> Response {
        let request = self.request(Method::GET, &format!("/api/v1/{path}")).header("sec-fetch-site", "same-origin");
        send(request.header("identity-project", project.as_str())).await
    }

    /// Reads a path of management.
    pub async fn look(&self, path: &str) -> Response {
        let request = self.request(Method::GET, &format!("/manage/v1/{path}"));
        send(request.header("sec-fetch-site", "same-origin")).await
    }

    /// Changes something.
    pub async fn change(&self, method: Method, path: &str, body: &Value) -> Response {
        let request = self.request(method, &format!("/manage/v1/{path}")).header("sec-fetch-site", "same-origin");
        send(request.json(body)).await
    }
}

/// Stores an item anew with an attribute changed.
pub async fn set(store: &Store, key: &Key, change: impl FnOnce(&mut Item)) {
    let stored = store.get(key, figures::table::store::Consistency::Strong).await.unwrap();
    let mut item = stored.unwrap_or_else(|| key_item(key));
    change(&mut item);
    store.put(item).await.unwrap();
}
