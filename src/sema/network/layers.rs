//! Layers as they are written, one by one.

use std::collections::BTreeMap;

use crate::base::{Span, nearest};
use crate::diag::{Code, Diagnostic};
use crate::ir::network::{ArgumentFacts, Axes, LAYERS, Layer, LayerFacts, Padding, Pointwise, Portion, Size};
use crate::ir::{Dimension, Takes, Value};
use crate::sema::checker::Checker;
use crate::sema::findings::not_yet;
use crate::syntax::ast;

use super::{Dims, Spans, classes};

/// The arguments of a layer, by name.
type Given = BTreeMap<&'static str, Argument>;

#[derive(Clone, Copy, Debug)]
enum Argument {
    Size(Size),
    Share(Portion),
    Padding(Padding),
}

/// What a whole number in a layer may be called.
struct Names<'n> {
    dims: &'n Dims,
    classes: Option<&'n str>,
}

impl<'a> Checker<'a> {
    /// The layers, and where each stands, those of a `skip` behind it. None after a message.
    pub(super) fn layers_of(&mut self, network: &'a ast::Network, dims: &Dims) -> Option<(Vec<Layer>, Spans)> {
        let names = Names { dims, classes: classes(network).map(|param| param.name.name.as_str()) };
        let mut spans = Vec::new();
        let layers = self.layers(&network.layers, &names, &mut spans)?;
        Some((layers, spans))
    }

    fn layers(&mut self, layers: &'a [ast::Layer], names: &Names<'_>, spans: &mut Spans) -> Option<Vec<Layer>> {
        let all: Vec<Option<Layer>> = layers.iter().map(|layer| self.layer(layer, names, spans)).collect();
        all.into_iter().collect()
    }

    fn layer(&mut self, layer: &'a ast::Layer, names: &Names<'_>, spans: &mut Spans) -> Option<Layer> {
        spans.push(layer.span);
        let (name, args) = match &layer.kind {
            ast::LayerKind::Skip(inside) => return self.layers(inside, names, spans).map(Layer::Skip),
            ast::LayerKind::Plain { name, args } => (name, args),
        };
        let facts = match LayerFacts::named(&name.name) {
            Some(facts) if facts.in_this_version => facts,
            Some(facts) => {
                let help = "use the layers that there are: `mliot explain E0521` lists them";
                self.report(not_yet(format!("the layer `{}`", facts.name), name.span, help));
                return None;
            }
            None => {
                self.report(unknown_layer(name));
                return None;
            }
        };
        let given = self.arguments(facts, args, names, layer.span)?;
        build(facts.name, &given)
    }

    /// None after a message.
    fn arguments(&mut self, facts: &'static LayerFacts, args: &'a [ast::Arg], names: &Names<'_>, span: Span) -> Option<Given> {
        let mut given = Given::new();
        let mut sound = true;
        for (nth, arg) in args.iter().enumerate() {
            let found = match &arg.name {
                Some(ident) => facts.argument(&ident.name),
                None if nth == 0 => facts.arguments.first(),
                None => None,
            };
            let Some(argument) = found else {
                self.report(no_argument(facts, arg));
                sound = false;
                continue;
            };
            let value = self.dimension(&arg.value);
            let read = value.map(|value| read(argument, &value, names).map_err(|why| misfit(facts, argument, arg, &why)));
            match read {
                Some(Ok(value)) => drop(given.insert(argument.name, value)),
                Some(Err(wrong)) => {
                    self.report(wrong);
                    sound = false;
                }
                None => sound = false,
            }
        }
        let missing = facts.arguments.iter().find(|argument| argument.required && !given.contains_key(argument.name));
        if let (Some(missing), true) = (missing, sound) {
            self.report(lacks(facts, missing, span));
            return None;
        }
        sound.then_some(given)
    }
}

/// Why a value is none for this argument; empty where its bounds say it all.
fn read(argument: &ArgumentFacts, value: &Dimension, names: &Names<'_>) -> Result<Argument, String> {
    match (argument.takes, value) {
        (None, Dimension::Fixed(Value::Text(word))) => match word.as_str() {
            "same" => Ok(Argument::Padding(Padding::Same)),
            "valid" => Ok(Argument::Padding(Padding::Valid)),
            _ => Err(String::new()),
        },
        (None, _) => Err(String::new()),
        (Some(Takes::Number { low, high }), value) => share(value, low, high).map(Argument::Share).ok_or_else(String::new),
        (Some(Takes::Whole { low, high } | Takes::Wholes { low, high, .. }), value) => {
            size(value, (low, high), names).map(Argument::Size)
        }
    }
}

fn share(value: &Dimension, low: f64, high: f64) -> Option<Portion> {
    let inside = |value: &Value| value.as_f64().filter(|value| (low..=high).contains(value));
    match value {
        Dimension::Fixed(value) => inside(value).map(|share| Portion { low: share, high: share }),
        Dimension::Range(from, to) => Some(Portion { low: inside(from)?, high: inside(to)? }),
    }
}

fn size(value: &Dimension, (low, high): (i64, i64), names: &Names<'_>) -> Result<Size, String> {
    let whole = |value: &Value| match value {
        Value::Int(int) if (low..=high).contains(int) => u32::try_from(*int).map_err(|_| String::new()),
        _ => Err(String::new()),
    };
    match value {
        Dimension::Fixed(Value::Text(word)) if Some(word.as_str()) == names.classes => Ok(Size::Classes),
        Dimension::Fixed(Value::Text(word)) => match names.dims.get(word) {
            Some(Some(size)) => Ok(Size::Fixed(*size)),
            Some(None) => Err(format!("how many numbers `{word}` is comes of the rows that train; write a number")),
            None => Err(format!("`{word}` is no dimension of a parameter, no `param` and no number of classes")),
        },
        Dimension::Fixed(value) => whole(value).map(Size::Fixed),
        Dimension::Range(from, to) => Ok(Size::Range(whole(from)?, whole(to)?)),
    }
}

/// All arguments that a layer needs are there.
fn build(name: &str, given: &Given) -> Option<Layer> {
    let size = |argument: &str| match given.get(argument) {
        Some(Argument::Size(size)) => Some(*size),
        Some(Argument::Share(_) | Argument::Padding(_)) | None => None,
    };
    let or = |argument: &str, default: u32| size(argument).unwrap_or(Size::Fixed(default));
    let padding = match given.get("padding") {
        Some(Argument::Padding(padding)) => *padding,
        Some(Argument::Size(_) | Argument::Share(_)) | None => Padding::Valid,
    };
    let (kernel, stride) = (or("kernel", 3), or("stride", 1));
    let conv = |axes| Some(Layer::Conv { axes, channels: size("channels")?, kernel, stride, padding });
    match name {
        "linear" => Some(Layer::Linear { outputs: size("outputs")? }),
        "conv1d" => conv(Axes::Time),
        "conv2d" => conv(Axes::Image),
        "depthwise" => Some(Layer::Depthwise { kernel, stride, padding }),
        "pool" => Some(Layer::Pool { size: size("size")?, stride: size("stride") }),
        "global_mean" => Some(Layer::GlobalMean),
        "flatten" => Some(Layer::Flatten),
        "batch_norm" => Some(Layer::BatchNorm),
        "layer_norm" => Some(Layer::LayerNorm),
        "dropout" => match given.get("share") {
            Some(Argument::Share(share)) => Some(Layer::Dropout { share: *share }),
            Some(Argument::Size(_) | Argument::Padding(_)) | None => None,
        },
        "gru" => Some(Layer::Gru { units: size("units")? }),
        "last" => Some(Layer::Last),
        "relu" => Some(Layer::Pointwise(Pointwise::Relu)),
        "gelu" => Some(Layer::Pointwise(Pointwise::Gelu)),
        "tanh" => Some(Layer::Pointwise(Pointwise::Tanh)),
        "sigmoid" => Some(Layer::Pointwise(Pointwise::Sigmoid)),
        "softmax" => Some(Layer::Softmax),
        _ => unreachable!("the table of layers has `{name}`"),
    }
}

/// E0521. What other libraries call it is taken for what it is.
fn unknown_layer(name: &ast::Ident) -> Diagnostic {
    let known = LAYERS.iter().filter(|layer| layer.in_this_version).map(|layer| layer.name).chain(["skip"]);
    let other = match &*name.name.to_lowercase() {
        "dense" | "fc" | "fully_connected" => Some("linear"),
        "conv" | "convolution" => Some("conv1d"),
        "max_pool" | "maxpool" | "maxpool1d" | "maxpool2d" | "max_pooling" => Some("pool"),
        "global_average_pooling" | "gap" | "mean" | "avg_pool" => Some("global_mean"),
        "batchnorm" | "batchnorm1d" | "batchnorm2d" => Some("batch_norm"),
        "layernorm" => Some("layer_norm"),
        "lstm" | "rnn" => Some("gru"),
        "residual" => Some("skip"),
        _ => None,
    };
    let out = Diagnostic::new(Code::E0521, format!("no layer is called `{}`", name.name)).at(name.span, "not known");
    match other.or_else(|| nearest(&name.name, known.clone())) {
        Some(near) => out.help(format!("write `{near}`, if that was meant")).fix(name.span, near),
        None => {
            let all: Vec<String> = known.map(|layer| format!("`{layer}`")).collect();
            out.help(format!("there are {}", all.join(", ")))
        }
    }
}

fn all_arguments(facts: &LayerFacts) -> String {
    match facts.arguments {
        [] => format!("write `{}` without arguments", facts.name),
        all => format!("it has {}", all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

/// E0522.
fn no_argument(facts: &LayerFacts, arg: &ast::Arg) -> Diagnostic {
    let message = match &arg.name {
        Some(ident) => format!("`{}` has no argument `{}`", facts.name, ident.name),
        None => format!("only the first argument of `{}` stands without its name", facts.name),
    };
    Diagnostic::new(Code::E0522, message).at(arg.span, "").help(all_arguments(facts))
}

/// E0522.
fn misfit(facts: &LayerFacts, argument: &ArgumentFacts, arg: &ast::Arg, why: &str) -> Diagnostic {
    let out = Diagnostic::new(Code::E0522, format!("`{}` of `{}` cannot have this value", argument.name, facts.name))
        .at(arg.value.span, "");
    if why.is_empty() { out.help(format!("write {argument}")) } else { out.help(why) }
}

/// E0522.
fn lacks(facts: &LayerFacts, argument: &ArgumentFacts, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0522, format!("`{}` does not say its {}", facts.name, argument.name)).at(span, "").help(format!(
        "write {argument}, such as `{}({})`",
        facts.name,
        if argument.name == "share" { "20%" } else { "32" }
    ))
}
