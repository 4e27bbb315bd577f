//! Reading requests.

use std::hint::black_box;

use gatelodge::oauth::authorize::{AuthorizeRequest, RedirectParameters};
use gatelodge::oauth::client::PresentedCredentials;
use gatelodge::oauth::params::Params;
use gatelodge::oauth::token::TokenRequest;

use crate::measure::{Row, rates, window};

const AUTHORIZE: &[u8] =
    b"response_type=code&client_id=shop&redirect_uri=https%3A%2F%2Fapp.example\
    %2Fcallback&scope=openid%20profile%20offline_access&state=af0ifjsldkj3kf92&nonce=n-0S6_WzA2Mj\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

const TOKEN: &[u8] = b"grant_type=authorization_code&redirect_uri=https%3A%2F%2Fapp.example%2F\
    callback&code=gl_ac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&client_id=shop\
    &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub(crate) fn rows() -> Vec<Row> {
    let mut authorize = || {
        window(|| {
            let params = Params::parse(black_box(AUTHORIZE)).unwrap();
            black_box(RedirectParameters::parse(&params).unwrap());
            black_box(AuthorizeRequest::parse(&params).unwrap());
        })
    };
    let mut token = || {
        window(|| {
            let form = Params::parse(black_box(TOKEN)).unwrap();
            black_box(PresentedCredentials::parse(None, &form).ok().unwrap());
            black_box(TokenRequest::parse(&form).ok().unwrap());
        })
    };
    let [authorize, token] = rates([&mut authorize, &mut token]);
    vec![
        Row::new("parse an authorization request", authorize),
        Row::new("parse a token request and its client", token),
    ]
}
