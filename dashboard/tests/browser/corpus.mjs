// What strangers may send to do more than be read, and whether any of it did.

export const CORPUS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'><svg/onload=alert(1)>",
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)//https://a.example',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:msgbox(1)',
  '//evil.example/x',
  'https://evil.example/"onmouseover="alert(1)',
  'http://user:pass@evil.example/',
  '{{constructor.constructor("alert(1)")()}}',
  '${alert(1)}',
  '</title><script>alert(1)</script>',
  '</style><script>alert(1)</script>',
  '<iframe srcdoc="<script>alert(1)</script>">',
  '<a href="javascript:alert(1)">x</a>',
  '<form action=//evil.example><button>',
  '<meta http-equiv=refresh content="0;url=https://evil.example">',
  '<base href=https://evil.example/>',
  'url(https://evil.example/x.png)',
  '=HYPERLINK("https://evil.example","x")',
  "+cmd|' /C calc'!A0",
  '\u202egnp.exe\u202c',
  '\u0000\u0007\ufffd\ud83d\ude00',
  '__proto__',
  'constructor',
  'toString',
  '/../../manage/v1/people',
  '%00%0d%0aSet-Cookie:x=1',
  'a'.repeat(2048),
  `https://evil.example/${'%'.repeat(300)}`,
  '#/sign-in/token',
];

/** Looks at everything that could do more than be read. */
export const inspect = (tab) =>
  tab.evaluate(() => {
    const wrong = [];
    for (const element of document.querySelectorAll('script, iframe, object, embed, base, img, form[action], link[rel~=import]')) {
      if (!(element.tagName === 'SCRIPT' && new URL(element.src).origin === location.origin)) wrong.push(element.outerHTML.slice(0, 200));
    }
    for (const element of document.querySelectorAll('*')) {
      for (const { name } of element.attributes) if (/^on/i.test(name)) wrong.push(`${element.tagName} ${name}`);
    }
    for (const link of document.querySelectorAll('a[href]')) {
      const url = new URL(link.href);
      const isOwn = url.origin === location.origin && url.pathname === '/';
      if (isOwn) continue;
      if (!['http:', 'https:'].includes(url.protocol)) wrong.push(`link ${link.href}`);
      if (link.rel !== 'noopener noreferrer' || link.target !== '_blank') wrong.push(`unsafe ${link.href}`);
    }
    return wrong;
  });
