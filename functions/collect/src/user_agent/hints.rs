use lambda_http::http::HeaderMap;
pub struct Hints;
impl Hints {
    pub fn of(_headers: &HeaderMap) -> Self { Hints }
    pub fn is_headless(&self) -> bool { false }
    pub fn browser(&self, name: Option<&str>, version: Option<&str>) -> (Option<String>, Option<String>) { (name.map(str::to_owned), version.map(str::to_owned)) }
    pub fn system<'a>(&self, system: Option<&'a str>) -> Option<&'a str> { system }
    pub fn mobile(&self, mobile: Option<u8>) -> Option<u8> { mobile }
}
