//! Neural networks.

use crate::base::Span;

use super::{Arg, Head, Ident, Type};

/// `network motion(x: tensor[rows, channels], classes: int) = x | conv1d(16..64, kernel: 3) | …`
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub head: Head,
    pub params: Vec<NetworkParam>,
    pub input: NetworkInput,
    pub layers: Vec<Layer>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NetworkParam {
    pub name: Ident,
    pub ty: Type,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum NetworkInput {
    Param(Ident),
    Concat { params: Vec<Ident>, span: Span },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub kind: LayerKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LayerKind {
    /// An argument that is a range of literals is a dimension of the search.
    Plain { name: Ident, args: Vec<Arg> },
    /// `skip(conv1d(16) | relu)`: what comes out of the layers is added to what goes in.
    Skip(Vec<Layer>),
}
