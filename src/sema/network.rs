//! Networks: their layers and parameters, what fills them in a task, and that every shape on the way fits.

mod bind;
mod layers;
mod shapes;

use std::collections::BTreeMap;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::network::{Network, NetworkInput};
use crate::ir::{Column, FamilyFacts, TaskKind, Type};
use crate::syntax::ast;

use super::checker::Checker;
use super::index::Space;

/// The sizes that the dimensions of parameters stand for; none of what is known only after training.
type Dims = BTreeMap<Name, Option<u32>>;

/// What a network is wanted for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'t> {
    pub kind: &'t TaskKind,
    /// Of what is predicted.
    pub target: &'t Type,
    /// None where they have a mistake.
    pub features: Option<&'t [Column]>,
}

impl<'a> Checker<'a> {
    /// What can be said of a network whatever it is used for.
    pub(super) fn network_declaration(&mut self, network: &'a ast::Network) {
        self.later_was(network.head.was.as_ref());
        self.is_sound_network(network);
    }

    fn is_sound_network(&mut self, network: &'a ast::Network) -> bool {
        let name = &network.head.name.name;
        if let Some(sound) = self.networks.get(name) {
            return *sound;
        }
        let wrong = head_mistakes(network);
        let mut sound = wrong.is_empty();
        wrong.into_iter().for_each(|wrong| self.report(wrong));
        sound &= self.layers_of(network, &placeholders(network)).is_some();
        self.networks.insert(name.clone(), sound);
        sound
    }

    /// The network with the features of a task; none after a message.
    pub(super) fn network_for(
        &mut self,
        network: &'a ast::Network,
        call: &ast::Call,
        wanted: Option<Wanted<'_>>,
    ) -> Option<Network> {
        self.findings.mark_used(Space::Network, &network.head.name.name);
        if !self.is_sound_network(network) {
            return None;
        }
        let wanted = wanted?;
        let (filled, dims) = match bind::bind(network, call.span, wanted.features?) {
            Ok(bound) => bound,
            Err(wrong) => {
                self.report(*wrong);
                return None;
            }
        };
        let (layers, spans) = self.layers_of(network, &dims)?;
        let inputs: Vec<NetworkInput> = inputs(network).iter().filter_map(|name| filled.get(&name.name)).cloned().collect();
        let bound = Network { name: network.head.name.name.clone(), inputs, layers };
        match shapes::check(&bound, network, call.span, &spans, wanted) {
            Ok(()) => Some(bound),
            Err(wrong) => {
                self.report(*wrong);
                None
            }
        }
    }
}

fn inputs(network: &ast::Network) -> &[ast::Ident] {
    match &network.input {
        ast::NetworkInput::Param(ident) => std::slice::from_ref(ident),
        ast::NetworkInput::Concat { params, .. } => params,
    }
}

fn tensors(network: &ast::Network) -> impl Iterator<Item = (&ast::NetworkParam, &[ast::Dim])> {
    network.params.iter().filter_map(|param| {
        if let ast::TypeKind::Tensor(dims) = &param.ty.kind { Some((param, dims.as_slice())) } else { None }
    })
}

/// The parameter that stands for the number of classes.
fn classes(network: &ast::Network) -> Option<&ast::NetworkParam> {
    network.params.iter().find(|param| matches!(param.ty.kind, ast::TypeKind::Int(None)))
}

/// Every named dimension, so that a declaration can be read before anybody uses it.
fn placeholders(network: &ast::Network) -> Dims {
    let named = |dim: &ast::Dim| match &dim.kind {
        ast::DimKind::Named(ident) => Some((ident.name.clone(), Some(1))),
        ast::DimKind::Fixed(_) => None,
    };
    tensors(network).flat_map(|(_, dims)| dims).filter_map(named).collect()
}

/// E0526, as often as there is something to say.
fn head_mistakes(network: &ast::Network) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    let name = &network.head.name;
    if FamilyFacts::named(&name.name).is_some() {
        let message = format!("`{}` is the name of a model family", name.name);
        wrong.push(Diagnostic::new(Code::E0526, message).at(name.span, "").help("give the network another name"));
    }
    let mut counts = 0;
    for param in &network.params {
        let is_count = matches!(param.ty.kind, ast::TypeKind::Int(None));
        counts += usize::from(is_count);
        let is_tensor = matches!(param.ty.kind, ast::TypeKind::Tensor(_));
        if param.ty.nullable || !(is_tensor || is_count) || (is_count && counts > 1) {
            wrong.push(no_param(param, counts > 1));
        }
        let twice = network.params.iter().find(|other| other.name.name == param.name.name).filter(|first| *first != param);
        wrong.extend(twice.map(|first| {
            Diagnostic::new(Code::E0526, format!("the parameter `{}` is declared twice", param.name.name))
                .at(param.name.span, "once more here")
                .at(first.name.span, "first here")
                .help("give one of the two another name")
        }));
        if is_tensor && !inputs(network).iter().any(|input| input.name == param.name.name) {
            wrong.push(goes_nowhere(param));
        }
    }
    let known = |input: &ast::Ident| tensors(network).any(|(param, _)| param.name.name == input.name);
    wrong.extend(inputs(network).iter().filter(|input| !known(input)).map(|input| no_head(input, network)));
    wrong
}

/// E0526.
fn no_param(param: &ast::NetworkParam, second_count: bool) -> Diagnostic {
    let message = match second_count {
        true => "a network has one `int`, the number of classes".to_owned(),
        false => format!("the parameter `{}` is neither a tensor nor the number of classes", param.name.name),
    };
    Diagnostic::new(Code::E0526, message)
        .at(param.span, "")
        .help("write `x: tensor[rows, channels]` for what goes in, and `classes: int` for how many classes there are")
}

/// E0526.
fn goes_nowhere(param: &ast::NetworkParam) -> Diagnostic {
    Diagnostic::new(Code::E0526, format!("the parameter `{}` goes nowhere", param.name.name))
        .at(param.span, "")
        .help("begin with `concat(…)` of all that goes in, or remove it")
}

/// E0526.
fn no_head(input: &ast::Ident, network: &ast::Network) -> Diagnostic {
    let names: Vec<String> = tensors(network).map(|(param, _)| format!("`{}`", param.name.name)).collect();
    let help = match names.is_empty() {
        true => "declare what goes in: `network n(x: tensor[rows, channels], classes: int) = x | …`".to_owned(),
        false => format!("begin with {}", names.join(" or ")),
    };
    Diagnostic::new(Code::E0526, format!("`{}` is no tensor that goes into this network", input.name))
        .at(input.span, "")
        .help(help)
}

/// How many classes a target has, if that is known before anything is learned.
fn known_classes(wanted: &Wanted<'_>) -> Option<usize> {
    match (wanted.kind, wanted.target) {
        (TaskKind::Classify, Type::Bool) => Some(2),
        (TaskKind::Classify, Type::Enum(items)) => Some(items.len()),
        (TaskKind::Classify, _) => None,
        (TaskKind::Regress | TaskKind::Forecast { .. } | TaskKind::Detect { .. } | TaskKind::Rank, _) => Some(1),
    }
}

/// A place in the text that belongs to a layer.
type Spans = Vec<Span>;
