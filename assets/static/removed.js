// After the removal of a passkey: tells the browser which passkeys are left, so that it offers no other
// one of this person.

const { credentials, rpId, userId } = document.getElementById("accepted").dataset;
const allAcceptedCredentialIds = JSON.parse(credentials);
await window.PublicKeyCredential?.signalAllAcceptedCredentials?.({ rpId, userId, allAcceptedCredentialIds })
  .catch(() => {});
