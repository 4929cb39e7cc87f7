//! A change that is wanted, from whoever wants it: an edit of the file, or a way back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::base::{Name, Sources};
use crate::plan::Graph;

use super::super::control::Reply;
use super::super::state::plans::{Answering, Aside, Cause};

pub struct Wish {
    pub cause: Cause,
    pub wanted: Graph,
    /// The text that it comes from, and the texts that its places are in.
    pub text: Arc<str>,
    pub sources: Sources,
    /// What the file says, where that is not what is wanted.
    pub aside: Option<Aside>,
    /// Who is to answer, of the models that there are.
    pub models: BTreeMap<Name, Answering>,
    /// When it was noticed.
    pub begun: Instant,
    /// Who waits to hear what came of it.
    pub reply: Option<Reply>,
    /// Has somebody said that it may lose what it loses?
    pub is_confirmed: bool,
}
