//! The program. So far it only is the worker that trainings start.

fn main() -> std::io::Result<()> {
    #[cfg(feature = "run")]
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return mliot::lifecycle::serve_worker(&mut std::io::stdin().lock(), &mut std::io::stdout().lock());
    }
    Ok(())
}
