//! What a person calls a place where rows pass: `air`, `room.bad`, `air.late`, a stage such as `air/scan`, or a sink.

use crate::base::{Name, nearest};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Outlet, Read};

use super::{Graph, Input, NodeKey, Slot};

impl Graph {
    /// Where rows pass under this name.
    ///
    /// # Errors
    /// `E0201` if nothing that rows pass is called so, with the nearest name; `E0408` if nothing is bad or late there.
    pub fn place(&self, text: &str) -> Result<Input, Diagnostic> {
        let (name, outlet) = split(text);
        let found = self.node_called(name).map(|node| Input { node, outlet });
        let found = found.or_else(|| self.outlet(&Read { from: name.into(), outlet }));
        match found.or_else(|| self.sink_called(name).filter(|_| outlet == Outlet::Rows)) {
            Some(place) => Ok(place),
            None if outlet != Outlet::Rows && self.place(name).is_ok() => Err(nothing_aside(name, outlet)),
            None => Err(self.nothing_called(text)),
        }
    }

    /// A node of the file, as events and reports name it: `air/set#1`.
    fn node_called(&self, text: &str) -> Option<NodeKey> {
        text.contains('/').then(|| self.nodes.keys().find(|key| key.is_of_file() && key.to_string() == text)).flatten().cloned()
    }

    /// What a sink has accepted.
    fn sink_called(&self, text: &str) -> Option<Input> {
        let node = NodeKey::of_file(&Name::from(text), Slot::Accept);
        self.nodes.contains_key(&node).then_some(Input { node, outlet: Outlet::Rows })
    }

    /// Everything that rows pass, by the name that people use most.
    pub fn places(&self) -> Vec<String> {
        let sinks = self.nodes.keys().filter(|key| key.slot == Slot::Accept && key.is_of_file());
        self.outlets.keys().cloned().chain(sinks.map(|key| key.decl.clone())).map(|name| name.to_string()).collect()
    }

    fn nothing_called(&self, text: &str) -> Diagnostic {
        let found = Diagnostic::new(Code::E0201, format!("no rows pass a place called `{text}`"));
        let names = self.places();
        let stages = self.nodes.keys().map(ToString::to_string);
        let all: Vec<String> = names.iter().cloned().chain(stages).collect();
        match nearest(text, all.iter().map(String::as_str)) {
            Some(near) => found.help(format!("did you mean `{near}`?")),
            None => found.help(format!("there are {}; a stage is called like `air/where`", listed(&names))),
        }
    }
}

/// `air.late` is the name and the outlet; anything else is a name whose rows are meant.
fn split(text: &str) -> (&str, Outlet) {
    match text.rsplit_once('.') {
        Some((name, "bad")) => (name, Outlet::Bad),
        Some((name, "late")) => (name, Outlet::Late),
        Some(_) | None => (text, Outlet::Rows),
    }
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((one, [])) => one.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// E0408.
fn nothing_aside(name: &str, outlet: Outlet) -> Diagnostic {
    let (what, help) = match outlet {
        Outlet::Bad => ("bad", "bad rows are what a source could not read: write the source's name before `.bad`"),
        Outlet::Late | Outlet::Rows => ("late", "rows are late only where a `window 10min …` has closed without them"),
    };
    Diagnostic::new(Code::E0408, format!("nothing is {what} in `{name}`")).help(help)
}
