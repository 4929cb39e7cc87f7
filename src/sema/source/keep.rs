//! Where a source keeps what comes in live.

use crate::diag::{Code, Diagnostic};
use crate::ir::FileConnector;
use crate::sema::checker::Checker;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    /// One place to which rows can be appended in the order in which they arrive.
    pub(super) fn check_keep(&mut self, connector: &'a ast::Connector, file: &FileConnector) {
        let has_end = !file.format.grows();
        if file.path.contains('{') {
            self.report(several_places(connector));
        } else if has_end && !file.path.ends_with('/') {
            self.report(no_folder(connector, &file.path));
        }
    }
}

/// E0701.
fn several_places(connector: &ast::Connector) -> Diagnostic {
    Diagnostic::new(Code::E0701, "rows that are kept stand in one place, in the order of their arrival")
        .at(connector.span, "this path depends on the rows")
        .help(format!("name a folder, as in `keep {}(\"air/\")`", connector.name.name))
}

/// E0701.
fn no_folder(connector: &ast::Connector, path: &str) -> Diagnostic {
    let name = &connector.name.name;
    let stem = path.split('.').next().unwrap_or(path);
    Diagnostic::new(Code::E0701, format!("`{path}` has an end, so nothing can be appended to it"))
        .at(connector.span, "")
        .help(format!("name a folder, as in `keep {name}(\"{stem}/\")`"))
}
