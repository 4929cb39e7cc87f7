//! The built-in units and functions: `stdlib/` read once. What is wrong there is our own mistake, so it panics.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::base::{Name, Sources};
use crate::syntax::{self, ast};

use super::signature::Signature;
use super::units::Units;

/// Everything that the language has from the start.
#[derive(Debug, Default)]
pub struct Library {
    pub units: Units,
    /// Several of one name are tried in order.
    pub functions: BTreeMap<Name, Vec<Signature>>,
}

/// The texts of the library by their names; units first, since the others use them.
pub const TEXTS: [(&str, &str); 8] = [
    ("units.mliot", include_str!("../../stdlib/units.mliot")),
    ("scalar.mliot", include_str!("../../stdlib/scalar.mliot")),
    ("time.mliot", include_str!("../../stdlib/time.mliot")),
    ("text.mliot", include_str!("../../stdlib/text.mliot")),
    ("running.mliot", include_str!("../../stdlib/running.mliot")),
    ("aggregate.mliot", include_str!("../../stdlib/aggregate.mliot")),
    ("signal.mliot", include_str!("../../stdlib/signal.mliot")),
    ("generator.mliot", include_str!("../../stdlib/generator.mliot")),
];

/// The library, read at the first call.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut library = Library::default();
        for (name, text) in TEXTS {
            library.add(name, text);
        }
        library
    })
}

impl Library {
    fn add(&mut self, name: &str, text: &str) {
        let mut sources = Sources::default();
        let id = sources.add(name, text);
        let (file, diagnostics) = syntax::parse(id, text);
        if let Some(first) = diagnostics.first() {
            panic!("stdlib/{}", crate::diag::render(first, &sources, crate::diag::Style::Plain));
        }
        for declaration in &file.declarations {
            self.declare(declaration, name);
        }
    }

    fn declare(&mut self, declaration: &ast::Declaration, file: &str) {
        match &declaration.kind {
            ast::DeclarationKind::Unit(unit) => {
                self.units.declare(unit).unwrap_or_else(|mistake| panic!("stdlib/{file}: {}: {mistake:?}", unit.name.name));
            }
            ast::DeclarationKind::Function(function) => {
                let doc = declaration.doc.as_ref().map_or("", |doc| doc.text.as_str());
                let signature = Signature::read(function, doc, &self.units)
                    .unwrap_or_else(|mistake| panic!("stdlib/{file}: {}: {mistake:?}", function.name.name));
                self.functions.entry(signature.name.clone()).or_default().push(signature);
            }
            other => panic!("stdlib/{file} declares only units and functions, not {:?}", other.name().map(|name| &name.name)),
        }
    }
}
