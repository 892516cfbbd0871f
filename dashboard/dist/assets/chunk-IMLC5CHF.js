import{Fa as o,q as t}from"./chunk-BOWFNLR6.js";var m=(a,n)=>{let{project:e,range:r}=t();return o(JSON.stringify([a,e,r]),p=>n({project:e,signal:p},r))};export{m as a};
