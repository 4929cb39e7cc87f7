//! `mliot explain FILE NETWORK`: the layers with their shapes and costs.

use std::path::Path;
use std::process::Command;

fn explain(arguments: &[&str]) -> (Option<i32>, String, String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/12-networks/belt.mliot");
    let out = Command::new(env!("CARGO_BIN_EXE_mliot")).arg("explain").arg(file).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn layers_are_shown_with_shapes_parameters_and_multiply_adds() {
    let (code, said, _) = explain(&["flat"]);
    let wanted = "\
flat in the task bearing
  motion is tensor[32, 2]
  classes: 2
  layer            shape    parameters  multiply-adds
                   [32, 2]
  flatten          [64]
  linear(8..32)    [8..32]   520..2080      512..2048
  relu             [8..32]
  linear(classes)  [2]          18..66         16..64
  all                        538..2146      528..2112
";
    assert_eq!((code, said.as_str()), (Some(0), wanted));
    let (_, both, _) = explain(&[]);
    assert!(both.contains("flat in the task bearing") && both.contains("listener in the task bearing"), "{both}");
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest() {
    let (code, _, complaint) = explain(&["listner"]);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("did you mean `listener`?"), "{complaint}");
}
