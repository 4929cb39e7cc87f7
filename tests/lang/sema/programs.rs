//! Whole files: what a person would write for real recordings compiles without a message, into the program it means.

use std::fs;
use std::path::Path;

use mliot::base::Hash;
use mliot::compile::{Disk, compile};
use mliot::ir::{HoldOut, Op, Origin, Outlet, TimeSpec, Validate, WindowShape};

use super::{compiled, said};
use crate::ui;

#[test]
fn every_file_of_the_folder_compiles_without_a_message() {
    let files = ui::files("tests/lang/sema/accept");
    assert!(files.len() >= 4);
    for file in files {
        let out = compile(&file, &Disk, &[]);
        assert_eq!(said(&out), "", "{}", file.display());
        assert!(out.graph.is_some(), "{}", file.display());
    }
}

#[test]
fn every_pipeline_of_the_course_compiles_without_a_message() {
    let course = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let mut count = 0;
    for folder in fs::read_dir(course).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|ending| ending == "mliot") {
                let out = compile(&file, &Disk, &[]);
                assert_eq!(said(&out), "", "{}", file.display());
                count += 1;
            }
        }
    }
    assert!(count > 0);
}

fn accepted(name: &str) -> mliot::ir::Program {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang/sema/accept").join(name);
    compile(&file, &Disk, &[]).program
}

#[test]
fn windows_of_a_wearable_have_statistics_of_every_channel() {
    let program = accepted("activity.mliot");
    let windows = &program.streams["windows"];
    let Op::Window(window) = &windows.stages[0].op else { panic!("a window") };
    assert_eq!(window.shape, WindowShape::Rows { size: 128, every: 64 });
    assert_eq!(window.entries.len(), 9 * 5 + 2);
    assert_eq!(window.entries[2].name, "body_acc_x_mean");
    assert_eq!(windows.schema.time.as_deref(), Some("@time"));
    assert_eq!(windows.schema.clock_by, ["segment"]);
    let task = &program.tasks["motion"];
    assert_eq!(task.features.len(), 45, "neither keys nor the group are features by themselves");
    assert!(matches!(task.hold_out, Some(HoldOut::Where(_))));
    assert_eq!(program.policies[&task.policy].validate, Validate::Folds(5), "a task with groups validates in folds");
    assert!(matches!(program.sources["phone"].time, TimeSpec::Column { .. }));
}

#[test]
fn market_prices_have_a_time_of_their_own_steps() {
    let program = accepted("market.mliot");
    assert!(matches!(program.sources["market"].time, TimeSpec::Every { .. }));
    assert_eq!(program.sources["market"].schema.time.as_deref(), Some("@time"));
    let select = &program.sinks["answers"].stages[1];
    assert_eq!(select.schema.columns.last().map(|column| &*column.name), Some("@time"), "the time travels on, hidden");
    assert!(program.sinks["answers"].schema.columns.iter().all(|column| !column.is_hidden()));
    let policy = &program.policies[&program.tasks["direction"].policy];
    assert_eq!(policy.validate, Validate::Prequential, "all models learn online");
}

#[test]
fn columns_without_a_header_bind_by_position() {
    let out = compiled(
        "source gas {\n  columns { batch: int; name: text; [s1..s3]: float; row: int from row; last: int from 9; next: int }\n  \
         recorded csv(\"batch{batch}.csv\", header: false)\n  time none\n}\nsink out = gas | to stdout\n",
    );
    assert_eq!(said(&out), "");
    let origins: Vec<&Origin> = out.program.sources["gas"].columns.iter().map(|column| &column.origin).collect();
    let position = Origin::Position;
    assert_eq!(
        origins,
        [
            &Origin::Pattern("batch".into()),
            &position(1),
            &position(2),
            &position(3),
            &position(4),
            &Origin::Row,
            &position(9),
            &position(10)
        ]
    );
}

#[test]
fn what_is_bad_or_late_is_a_stream() {
    let out = compiled(
        "source room {\n  columns { at: time; co2: float<ppm> }\n  live http(port: 8080)\n  time at\n}\n\
         stream means = room | window 1min { co2 = mean(co2) }\n\
         sink m = means | to stdout\nsink b = room.bad | where reason != \"\" | to jsonl(\"bad.jsonl\")\nsink l = means.late | select [at, co2] | to stdout\n",
    );
    assert_eq!(said(&out), "");
    assert_eq!(out.program.sinks["b"].input.outlet, Outlet::Bad);
    let names: Vec<&str> = out.program.sinks["l"].schema.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["at", "co2"]);
}

/// A source, a policy, and these tasks in this order.
fn with_tasks(tasks: [&str; 3]) -> mliot::ir::Program {
    let out = compiled(&format!(
        "source s {{\n  columns {{ on: bool; who: text; a: float; b: float }}\n  recorded csv(\"s.csv\")\n  time none\n}}\n\
         policy p {{ search 5 trials }}\n{}\n",
        tasks.join("\n")
    ));
    assert_eq!(said(&out), "");
    out.program
}

#[test]
fn one_policy_with_different_defaults_is_kept_for_each_task() {
    let one = "task one = classify on from s { features [a, b]; policy p }";
    let two = "task two = classify on from s { features [a, b]; group by who; policy p }";
    let three = "task three = classify on from s { features [a]; policy p }";
    let program = with_tasks([one, two, three]);
    let policy = |task: &str| &program.policies[&program.tasks[task].policy];
    assert_ne!(policy("one").validate, policy("two").validate);
    assert_eq!(policy("one").validate, policy("three").validate);
    assert_eq!(policy("two").search.trials, 5);
    let other_way_round = with_tasks([three, two, one]);
    assert_eq!(Hash::of(&program), Hash::of(&other_way_round), "the order of declarations does not count");
}

#[test]
fn one_policy_that_means_the_same_is_kept_once() {
    let task = |name: &str, policy: &str| format!("task {name} = classify on from s {{ features [a, b]; {policy} }}");
    let program = with_tasks([&task("one", "policy p"), &task("two", "policy p"), &task("three", "policy p")]);
    assert_eq!(program.policies.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["p"]);
    let program = with_tasks([&task("one", ""), &task("two", ""), &task("three", "policy p")]);
    assert_eq!(program.policies.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["default", "p"]);
}
