//! Which features fill which parameters of a network.
//!
//! A feature tensor fills the parameter of its name; one that nobody is called like fills the first. Features that are no
//! tensors stand side by side in the one parameter that is left.

use std::collections::BTreeMap;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::network::{NetworkInput, shape_text};
use crate::ir::{Column, Type};
use crate::syntax::ast;

use super::{Dims, tensors};

/// What fills each parameter, and the sizes of its dimensions.
type Bound = (BTreeMap<Name, NetworkInput>, Dims);

/// What goes into one parameter.
struct Filling<'f> {
    features: Vec<&'f Column>,
    shape: Option<Vec<u32>>,
}

pub fn bind(network: &ast::Network, call: Span, features: &[Column]) -> Result<Bound, Box<Diagnostic>> {
    let mut filled = BTreeMap::new();
    let mut dims = Dims::new();
    for (param, (axes, filling)) in fill(network, call, features)? {
        let shape = match &filling.shape {
            Some(shape) => Some(name_axes(param, axes, shape, &filling, has_image(&network.layers), &mut dims, call)?),
            None => {
                for axis in axes {
                    if let ast::DimKind::Named(ident) = &axis.kind {
                        dims.insert(ident.name.clone(), None);
                    }
                }
                None
            }
        };
        let features = filling.features.iter().map(|column| column.name.clone()).collect();
        let name = param.name.name.clone();
        filled.insert(name.clone(), NetworkInput { name, features, shape });
    }
    Ok((filled, dims))
}

type Fillings<'n, 'f> = Vec<(&'n ast::NetworkParam, (&'n [ast::Dim], Filling<'f>))>;

fn fill<'n, 'f>(network: &'n ast::Network, call: Span, features: &'f [Column]) -> Result<Fillings<'n, 'f>, Box<Diagnostic>> {
    let (mut whole, mut plain): (Vec<(&Column, &Vec<u32>)>, Vec<&Column>) = (Vec::new(), Vec::new());
    for column in features {
        if let Type::Tensor(shape) = &column.ty { whole.push((column, shape)) } else { plain.push(column) }
    }
    let mut open: Vec<(&ast::NetworkParam, &[ast::Dim])> = tensors(network).collect();
    let mut found: Fillings = Vec::new();
    let mut nameless = Vec::new();
    for (column, shape) in whole {
        let filling = Filling { features: vec![column], shape: Some(shape.clone()) };
        match open.iter().position(|(param, _)| param.name.name == column.name) {
            Some(at) => {
                let (param, axes) = open.remove(at);
                found.push((param, (axes, filling)));
            }
            None => nameless.push(filling),
        }
    }
    match (nameless.len(), open.is_empty()) {
        (0, _) => {}
        (1, false) => {
            let (param, axes) = open.remove(0);
            found.push((param, (axes, nameless.remove(0))));
        }
        (1, true) => return Err(nothing_takes(&nameless[0].features, network, call)),
        _ => return Err(by_name(&nameless, network, call)),
    }
    match (plain.is_empty(), open.first().copied()) {
        (true, _) => {}
        (false, Some((param, axes))) if axes.len() == 1 => {
            open.remove(0);
            found.push((param, (axes, Filling { features: plain, shape: None })));
        }
        (false, Some((param, _))) => return Err(no_vector(param, &plain, call)),
        (false, None) => return Err(nothing_takes(&plain, network, call)),
    }
    match open.first() {
        Some((param, _)) => Err(nothing_fills(param, call)),
        None => Ok(found),
    }
}

/// The shape with a channel axis where the network wants one, and a size for each name.
fn name_axes(
    param: &ast::NetworkParam,
    axes: &[ast::Dim],
    shape: &[u32],
    filling: &Filling<'_>,
    image: bool,
    dims: &mut Dims,
    call: Span,
) -> Result<Vec<u32>, Box<Diagnostic>> {
    let mut shape = shape.to_vec();
    if axes.len() == shape.len() + 1 && axes.len() == 3 {
        shape.push(1);
    }
    if axes.len() != shape.len() {
        return Err(other_rank(param, axes.len(), filling, call));
    }
    for (axis, size) in axes.iter().zip(&shape) {
        match &axis.kind {
            ast::DimKind::Fixed(wanted) if wanted != size => return Err(other_size(param, axis, *wanted, filling, call)),
            ast::DimKind::Fixed(_) => {}
            ast::DimKind::Named(ident) => match dims.insert(ident.name.clone(), Some(*size)) {
                Some(Some(before)) if before != *size => return Err(two_sizes(ident, before, *size, call)),
                _ => {}
            },
        }
    }
    if image && shape.len() == 2 {
        shape.push(1);
    }
    Ok(shape)
}

fn has_image(layers: &[ast::Layer]) -> bool {
    layers.iter().any(|layer| match &layer.kind {
        ast::LayerKind::Plain { name, .. } => name.name == "conv2d",
        ast::LayerKind::Skip(inside) => has_image(inside),
    })
}

fn names(features: &[&Column]) -> String {
    const NAMED_MAX: usize = 6;
    let named: Vec<String> = features.iter().take(NAMED_MAX).map(|column| format!("`{}`", column.name)).collect();
    let more = if features.len() > NAMED_MAX { format!(" and {} more", features.len() - NAMED_MAX) } else { String::new() };
    format!("{}{more}", named.join(", "))
}

/// E0525.
fn unfilled(message: String, call: Span) -> Diagnostic {
    Diagnostic::new(Code::E0525, message).at(call, "used here")
}

fn nothing_takes(features: &[&Column], network: &ast::Network, call: Span) -> Box<Diagnostic> {
    let message = format!("no parameter of `{}` takes {}", network.head.name.name, names(features));
    let is_tensor = features.iter().any(|column| matches!(column.ty, Type::Tensor(_)));
    let help = match is_tensor {
        true => "add a parameter of the feature's name, or leave the feature out with `features`",
        false => "add a parameter `rest: tensor[n]` and begin with `concat(…)`, or leave them out with `features`",
    };
    Box::new(unfilled(message, call).at(network.head.name.span, "its parameters are filled").help(help))
}

fn nothing_fills(param: &ast::NetworkParam, call: Span) -> Box<Diagnostic> {
    let message = format!("no feature fills the parameter `{}`", param.name.name);
    let help = "a tensor among the features fills the parameter of its name, numbers fill a `tensor[n]`";
    Box::new(unfilled(message, call).at(param.span, "the parameter").help(help))
}

fn by_name(nameless: &[Filling<'_>], network: &ast::Network, call: Span) -> Box<Diagnostic> {
    let tensors: Vec<&Column> = nameless.iter().flat_map(|filling| filling.features.clone()).collect();
    let message = format!("no parameter of `{}` is called like {}", network.head.name.name, names(&tensors));
    let help = "several tensors are told apart by their names: call the parameters like the features";
    Box::new(unfilled(message, call).at(network.head.name.span, "its parameters").help(help))
}

fn no_vector(param: &ast::NetworkParam, plain: &[&Column], call: Span) -> Box<Diagnostic> {
    let verb = if plain.len() == 1 { "is no tensor" } else { "are no tensors" };
    let message = format!("{} {verb}, and `{}` has several axes", names(plain), param.name.name);
    let help = "collect rows into one: `window 128 rows { x = tensor([ax..gz]) }`; plain numbers fill a `tensor[n]`";
    Box::new(unfilled(message, call).at(param.span, "the parameter").help(help))
}

fn other_rank(param: &ast::NetworkParam, axes: usize, filling: &Filling<'_>, call: Span) -> Box<Diagnostic> {
    let (name, shape) = feature(filling);
    let axes = if axes == 1 { "one axis".to_owned() } else { format!("{axes} axes") };
    let message = format!("`{name}` is {shape}, and the parameter `{}` has {axes}", param.name.name);
    Box::new(unfilled(message, call).at(param.span, "the parameter").help("declare the parameter with the feature's axes"))
}

fn other_size(param: &ast::NetworkParam, axis: &ast::Dim, wanted: u32, filling: &Filling<'_>, call: Span) -> Box<Diagnostic> {
    let (name, shape) = feature(filling);
    let message = format!("`{name}` is {shape}, and the parameter `{}` wants {wanted} here", param.name.name);
    Box::new(unfilled(message, call).at(axis.span, "").help("write a name for the size, such as `rows`, to take any"))
}

fn two_sizes(ident: &ast::Ident, before: u32, size: u32, call: Span) -> Box<Diagnostic> {
    let message = format!("`{}` would be {before} and {size} at once", ident.name);
    Box::new(unfilled(message, call).at(ident.span, "").help("give one of the two dimensions another name"))
}

fn feature(filling: &Filling<'_>) -> (Name, String) {
    let name = filling.features.first().map_or_else(|| Name::from(""), |column| column.name.clone());
    let shape: Vec<usize> = filling.shape.iter().flatten().map(|size| *size as usize).collect();
    (name, format!("tensor{}", shape_text(&shape)))
}
