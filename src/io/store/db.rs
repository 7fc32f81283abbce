//! The store for async code: one connection, used by one blocking task at a time.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    Store,
    error::{Result, StoreError},
};

/// A handle on the store that tasks share.
#[derive(Clone)]
pub struct Db {
    store: Arc<Mutex<Store>>,
}

impl Db {
    /// Shares an open store.
    pub fn new(store: Store) -> Db {
        Db { store: Arc::new(Mutex::new(store)) }
    }

    /// Runs `work` with the store on a blocking thread. A caller that is dropped while waiting does not stop the
    /// work: what was begun is committed or rolled back as a whole.
    pub async fn call<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Store) -> Result<T> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        let task = tokio::task::spawn_blocking(move || {
            // A panic inside an earlier `work` rolled its transaction back; the store itself is sound.
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut store)
        });
        task.await.unwrap_or(Err(StoreError::Panicked))
    }
}
