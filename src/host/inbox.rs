//! Rows of requests on their way to the source that takes rows at their path.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::base::Name;
use crate::io::{Inlets, NotTaken};
use crate::ir::HttpConnector;
use crate::server::{Body, Inbox, Putting};

/// Finds the source's inlet anew for each request: another version of the source may have taken over.
pub struct Post {
    pub source: Name,
    pub at: HttpConnector,
    pub inlets: Arc<Inlets>,
}

impl Inbox for Post {
    fn source(&self) -> &Name {
        &self.source
    }

    fn put(&self, body: Body, key: Option<Vec<u8>>, rows_max: usize) -> Putting {
        let inlet = self.inlets.get(&self.at);
        Box::pin(async move {
            let Some(inlet) = inlet else { return Err(NotTaken::Stopping) };
            let (taken, answer) = oneshot::channel();
            // Reading the rows is work for a processor; the threads that carry connections have others to carry.
            let put = move || inlet.put(&body, key.as_deref(), rows_max, Box::new(move |told| _ = taken.send(told)));
            tokio::task::spawn_blocking(put).await.map_err(|_| NotTaken::Stopping)?;
            answer.await.unwrap_or(Err(NotTaken::Stopping))
        })
    }
}
