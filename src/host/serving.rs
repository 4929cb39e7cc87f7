//! What the graph serves and where it takes rows: ports taken before the old ones are left, doors that change while connections stay.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::io::{Inlets, Lease, Table};
use crate::ir::{Connector, HttpConnector, Serve};
use crate::plan::{Graph, NodeOp};
use crate::runtime::Way;
use crate::server::{Address, Backend, Door, DoorKey, Inbox, InboxKey, Limits, Listener};

use super::inbox::Post;

pub struct Serving {
    ports: Table<Address, Listener>,
    backend: Arc<dyn Backend>,
    inlets: Arc<Inlets>,
    limits: Limits,
    runtime: Handle,
    /// The keys go before the leases: a port is closed when nothing is served there.
    open: Vec<(DoorKey, Lease<Listener>)>,
    inboxes: Vec<(InboxKey, Lease<Listener>)>,
}

/// Ports that a graph needs, open and still without its doors. Dropping it closes those that nobody else has.
pub struct Opened {
    doors: Vec<(Door, Lease<Listener>)>,
    posts: Vec<(Post, Lease<Listener>)>,
}

impl Serving {
    /// `inlets` are where sources take what is posted.
    pub fn new(backend: Arc<dyn Backend>, inlets: Arc<Inlets>, limits: Limits, runtime: Handle) -> Serving {
        Serving { ports: Table::default(), backend, inlets, limits, runtime, open: Vec::new(), inboxes: Vec::new() }
    }

    /// Opens the ports that `wanted` serves or takes rows at and that are not open yet. Nothing that is open changes.
    pub fn prepare(&self, wanted: &Graph) -> Result<Opened, Vec<Diagnostic>> {
        let (mut doors, mut posts, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
        for serve in served(wanted) {
            match self.prepare_one(serve, wanted) {
                Ok(one) => doors.push(one),
                Err(found) => wrong.push(found.at(serve.span, "")),
            }
        }
        for (source, at, span) in posted(wanted) {
            match self.listener(&address_of(at)) {
                Ok(lease) => posts.push((Post { source: source.clone(), at: at.clone(), inlets: self.inlets.clone() }, lease)),
                Err(found) => wrong.push(found.at(span, "")),
            }
        }
        if wrong.is_empty() { Ok(Opened { doors, posts }) } else { Err(wrong) }
    }

    fn listener(&self, at: &Address) -> Result<Lease<Listener>, Diagnostic> {
        self.ports.lease(at, || Listener::open(at, self.backend.clone(), self.limits, &self.runtime))
    }

    fn prepare_one(&self, serve: &Serve, wanted: &Graph) -> Result<(Door, Lease<Listener>), Diagnostic> {
        let at = address(serve)?;
        let way = Way::of(wanted, &serve.task).ok_or_else(|| nothing_to_serve(serve))?;
        let door = Door::new(serve.task.clone(), &way.columns, way.target.as_ref(), way.time.as_ref());
        Ok((door, self.listener(&at)?))
    }

    /// The new doors take the place of the old ones; what is not served any more is closed.
    pub fn commit(&mut self, opened: Opened) {
        let Opened { doors, posts } = opened;
        let door = |(door, lease): (Door, Lease<Listener>)| (lease.doors().open(&door.task.clone(), Arc::new(door)), lease);
        let inbox = |(post, lease): (Post, Lease<Listener>)| {
            let path = post.at.path.clone().unwrap_or_else(|| "/".into());
            let inbox: Arc<dyn Inbox> = Arc::new(post);
            (lease.inboxes().open(&path, inbox), lease)
        };
        self.inboxes = posts.into_iter().map(inbox).collect();
        self.open = doors.into_iter().map(door).collect();
    }

    /// Where requests for what are answered, then where rows are taken.
    pub fn addresses(&self) -> Vec<String> {
        let doors = self.open.iter().map(|(key, lease)| format!("http://{}/predict/{}", lease.at(), key.name()));
        let inboxes = self.inboxes.iter().map(|(key, lease)| format!("http://{}{}", lease.at(), key.name()));
        doors.chain(inboxes).collect()
    }

    pub fn close(&mut self) {
        self.open.clear();
        self.inboxes.clear();
    }
}

/// What a graph serves.
pub fn served(graph: &Graph) -> impl Iterator<Item = &Serve> {
    graph.nodes.values().filter_map(|spec| match &spec.op {
        NodeOp::Serve(serve) => Some(&**serve),
        NodeOp::Connection(_)
        | NodeOp::Decode(_)
        | NodeOp::Gate(_)
        | NodeOp::Stage(_)
        | NodeOp::Task(_)
        | NodeOp::Accept(_) => None,
    })
}

/// Sources that take what is posted, where, and where the file says so.
fn posted(graph: &Graph) -> impl Iterator<Item = (&Name, &HttpConnector, Span)> {
    graph.nodes.iter().filter_map(|(key, spec)| match &spec.op {
        NodeOp::Connection(connection) => match &connection.live {
            Some(Connector::Http(at)) => Some((&key.decl, at, graph.spans.get(key).copied().unwrap_or_default())),
            Some(_) | None => None,
        },
        NodeOp::Decode(_) | NodeOp::Gate(_) | NodeOp::Stage(_) | NodeOp::Task(_) | NodeOp::Accept(_) | NodeOp::Serve(_) => None,
    })
}

fn address_of(at: &HttpConnector) -> Address {
    Address { host: at.host.to_string(), port: at.port }
}

fn address(serve: &Serve) -> Result<Address, Diagnostic> {
    match &serve.connector {
        Connector::Http(http) => Ok(address_of(http)),
        Connector::File(_)
        | Connector::Simulate(_)
        | Connector::Stdin { .. }
        | Connector::Stdout { .. }
        | Connector::Post(_)
        | Connector::Tail(_) => Err(Diagnostic::new(Code::E0752, format!("`{}` cannot be served there", serve.task))
            .help("write `at http(port: 8080)`")),
        Connector::Later { name, .. } => Err(Diagnostic::new(Code::E0199, format!("`{name}` does not serve in this version"))
            .help("write `at http(port: 8080)`")),
    }
}

fn nothing_to_serve(serve: &Serve) -> Diagnostic {
    Diagnostic::new(Code::E0752, format!("`{}` has no source whose rows a request could carry", serve.task))
        .help("let the task learn from a stream of one source, or write `accepts features`")
}
