import{Ha as o,q as t}from"./chunk-MZJTOZRS.js";var m=(a,n)=>{let{project:e,range:r}=t();return o(JSON.stringify([a,e,r]),p=>n({project:e,signal:p},r))};export{m as a};
