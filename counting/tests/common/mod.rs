//! An embedded engine with the table.

use figures::table::store::Store;

pub async fn store() -> Store {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let store = Store::new(shared::aws::client(Some(&endpoint)).await, "identity");
    figures::table::schema::create(&store).await.unwrap();
    store
}
