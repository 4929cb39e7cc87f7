//! Networks.

use crate::syntax::ast::{Layer, LayerKind, Network, NetworkInput, NetworkParam};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::Builder;

impl Builder<'_> {
    pub fn network(&mut self, node: &Node<'_>) -> Network {
        self.assign_sign_in(node);
        let params = node.get(Rule::network_params);
        Network {
            head: self.head_in(node),
            params: params.all(Rule::network_param).map(|param| self.network_param(&param)).collect(),
            input: self.network_input(&node.get(Rule::network_input)),
            layers: self.layers_in(node),
        }
    }

    fn network_param(&mut self, node: &Node<'_>) -> NetworkParam {
        NetworkParam { name: self.name_in(node), ty: self.type_in(node), span: self.span(node) }
    }

    fn network_input(&mut self, node: &Node<'_>) -> NetworkInput {
        match node.find(Rule::network_concat) {
            Some(concat) => NetworkInput::Concat { params: self.names_in(&concat), span: self.span(&concat) },
            None => NetworkInput::Param(self.name_in(node)),
        }
    }

    fn layers_in(&mut self, node: &Node<'_>) -> Vec<Layer> {
        node.all(Rule::layer).map(|layer| self.layer(&layer)).collect()
    }

    fn layer(&mut self, node: &Node<'_>) -> Layer {
        let kind = match node.find(Rule::layer_skip) {
            Some(skip) => LayerKind::Skip(self.layers_in(&skip)),
            None => {
                let plain = node.get(Rule::layer_plain);
                LayerKind::Plain { name: self.name_in(&plain), args: self.args_in(&plain) }
            }
        };
        Layer { kind, span: self.span(node) }
    }
}
