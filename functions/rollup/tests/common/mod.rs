//! An embedded engine with the table.

use shared::store::Store;

pub async fn store() -> Store {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let store = Store::new(shared::app::client(Some(&endpoint)).await, "identity");
    shared::table::create(&store).await.unwrap();
    store
}
