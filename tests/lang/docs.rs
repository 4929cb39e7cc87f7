//! Whole files in the README and in the course's pages compile as they are printed.

use std::path::Path;

use mliot::compile::{World, compile};
use mliot::diag::{Style, render};

struct Printed<'a>(&'a str);

impl World for Printed<'_> {
    fn read(&self, _: &Path) -> std::io::Result<String> {
        Ok(self.0.to_owned())
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

/// The texts between fences of this kind.
fn blocks<'a>(page: &'a str, fence: &str) -> Vec<&'a str> {
    let open = format!("```{fence}\n");
    page.split(open.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn files_in_pages_compile() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    for chapter in std::fs::read_dir(root.join("pipelines")).expect("the course is there") {
        pages.push(chapter.expect("a chapter").path().join("README.md"));
    }
    let mut compiled_blocks = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        for block in blocks(&text, "mliot") {
            let compiled = compile(Path::new("printed.mliot"), &Printed(block), &[]);
            let said: Vec<String> =
                compiled.diagnostics.iter().map(|one| render(one, &compiled.sources, Style::Plain)).collect();
            assert!(said.is_empty(), "{}\n{}", page.display(), said.join("\n"));
            compiled_blocks += 1;
        }
    }
    assert!(compiled_blocks > 0);
}
