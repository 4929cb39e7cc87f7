//! A model goes on being served by its own features while the file's have changed, until another takes its place.

use std::sync::Arc;

use crate::base::Name;
use crate::diag::Diagnostic;
use crate::node::{Ordinal, Predictor};
use crate::plan::{Graph, NodeKey, Owner, shadow};

use super::cut::Cut;
use super::engine::Engine;
use super::feed::Parts;

/// A model whose features an edit takes away from the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    pub task: Name,
    pub version: String,
    /// Do its features live on, so that it goes on answering? If not, answers are null until there is another model.
    pub goes_on: bool,
}

impl Engine {
    /// `wanted`, and beside it the features of every model that answers now and that `wanted` would leave without; with what
    /// becomes of each of these models.
    pub fn keep_serving(&self, wanted: &Graph) -> (Graph, Vec<Served>) {
        let (mut graph, mut all) = (wanted.clone(), Vec::new());
        for task in self.assignments.keys() {
            let Some(version) = self.version(task) else { continue };
            let (Some(before), Some(after)) = (self.graph.door(task), wanted.door(task)) else { continue };
            if before.hashes.flow == after.hashes.flow {
                continue;
            }
            let number = version.strip_prefix(&format!("{task}-")).unwrap_or(version);
            let kept = shadow(&self.graph, wanted, task, &number.into());
            all.push(Served { task: task.clone(), version: version.to_owned(), goes_on: kept.is_some() });
            if let Some(kept) = kept {
                let own =
                    kept.nodes.into_iter().filter(|(key, spec)| hidden_for(key, task) || spec.predicts_by() == Some(task));
                graph.nodes.extend(own);
            }
        }
        (graph, all)
    }

    /// The change of [`keep_serving`](Engine::keep_serving), at the next ordinal.
    ///
    /// # Errors
    /// As [`apply`](Engine::apply).
    pub fn apply_serving(&mut self, wanted: &Graph, parts: &dyn Parts) -> Result<(Cut, Vec<Served>), Vec<Diagnostic>> {
        let (graph, served) = self.keep_serving(wanted);
        Ok((self.apply(&graph, parts)?, served))
    }

    /// A model that was trained on the features of the file takes the place of the one that answers, and of its features, at
    /// one ordinal, which is given back. Without a model rows get no prediction from there on.
    ///
    /// # Errors
    /// What keeps the old features from being taken away; then the old model answers on.
    pub fn promote(
        &mut self,
        task: &Name,
        model: Option<Arc<dyn Predictor>>,
        parts: &dyn Parts,
    ) -> Result<Ordinal, Vec<Diagnostic>> {
        if self.graph.is_shadowed(task) {
            let bare = self.graph.without_shadow(task);
            self.apply(&bare, parts)?;
        }
        self.assign(task, model);
        Ok(self.next())
    }
}

fn hidden_for(key: &NodeKey, task: &Name) -> bool {
    match &key.owner {
        Owner::File | Owner::Former { .. } => false,
        Owner::Model { task: own, version: _ } => own == task,
    }
}
