//! Lists the built files of `dashboard/dist`, whose names change with their bytes, for the function to hold.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboard/dist").canonicalize()?;
    println!("cargo::rerun-if-changed={}", dist.display());
    let files: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(dist.join("files.json"))?)?;
    let mut list = "[".to_owned();
    for file in &files {
        let text = |name: &str| file[name].as_str().ok_or_else(|| format!("files.json: {file} has no {name}"));
        let (path, kind, name) = (text("path")?, text("type")?, text("file")?);
        let bytes = |ending: &str| format!("include_bytes!({:?})", dist.join(format!("{name}{ending}")));
        let [plain, gzip, brotli] = ["", ".gz", ".br"].map(bytes);
        writeln!(list, "({path:?}, Embedded::new({kind:?}, {plain}, {gzip}, {brotli})),")?;
    }
    list.push(']');
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("files.rs"), list)?;
    Ok(())
}
