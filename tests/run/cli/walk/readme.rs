//! A README as a script: its fenced blocks, in order.

/// What one block asks for.
#[derive(Debug)]
pub enum Step {
    /// ```` ```sh ````: a command.
    Command(String),
    /// ```` ```diff ````: lines of the file that become others.
    Edit(Change),
    /// A block without a language: what is seen. `^C` in its first line is the key pressed before.
    Seen(Vec<String>),
    /// A page that is named in passing, such as `/metrics`.
    Page(String),
}

#[derive(Debug)]
pub struct Change {
    pub from: String,
    pub to: String,
}

pub fn steps(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match line.strip_prefix("```") {
            Some(language) => {
                let block: Vec<String> = lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect();
                steps.push(step(language, block));
            }
            None => steps.extend(pages(line)),
        }
    }
    steps
}

fn step(language: &str, block: Vec<String>) -> Step {
    match language {
        "sh" => Step::Command(block.join("\n").replace("\\\n", " ")),
        "diff" => Step::Edit(Change { from: side(&block, '-'), to: side(&block, '+') }),
        "" => Step::Seen(block),
        other => panic!("nobody knows what to do with a block of `{other}`"),
    }
}

fn side(block: &[String], sign: char) -> String {
    block.iter().filter_map(|line| line.strip_prefix(sign)).collect::<Vec<_>>().join("\n")
}

/// `` `/metrics` `` and the like.
fn pages(line: &str) -> impl Iterator<Item = Step> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|word| word.starts_with('/')).map(|page| Step::Page(page.to_owned()))
}
